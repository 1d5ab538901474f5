/**
 * ready-made.ts: the ready-made shims by name, made from what a configuration or a command line can say: JSON. Each is loaded when it is asked for.
 *
 * Not here: checking options, which the shims do themselves; their errors get the place in the file added.
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';
import { invalidType } from '@libcr/core/internal';
import { nodeFs } from '../node-fs.ts';
import type { Shim } from '../port/shim.ts';
import { checkKeys } from '../shims/match.ts';
import { writeAll } from '../shims/write-all.ts';
import { configError, textOf } from './error.ts';

const require = createRequire(import.meta.url);

type Options = Record<string, unknown>;

function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optionsOf(name: string, value: unknown): Options {
  if (value === undefined || value === true) return {};
  if (!isOptions(value)) throw invalidType(name, 'an object of options', value);
  return value;
}

/** [rules, other options] of a shim whose first argument is a list of rules: either the list, or an object that has it as `rules`. */
function rulesOf(value: unknown): [rules: unknown, options: Options] {
  if (!isOptions(value) || !('rules' in value)) return [value, {}];
  const { rules, ...options } = value;
  return [rules, options];
}

/** An option that names a file, from the configuration's folder on. */
function fileOf(name: string, file: unknown, folder: string): string {
  if (typeof file !== 'string' || file === '') throw invalidType(name, 'a path', file);
  return resolve(folder, file);
}

/** When the process, or the Worker, exits. What can't be written is a warning then. */
function writeAtExit(write: () => void): void {
  process.on('exit', () => {
    try {
      write();
    } catch (error) {
      const warning = new Error(`cannot write the metrics: ${textOf(error)}`);
      // emitWarning() waits for the next tick, and none comes.
      process.emit('warning', Object.assign(warning, { name: 'Warning', code: 'LIBCR_METRICS' }));
    }
  });
}

/** What makes a shim of each name. folder: where relative paths begin. */
const makers: Record<string, (value: unknown, folder: string) => Shim> = {
  trace(value, folder) {
    const { trace } = require('@libcr/syscalls/shims/trace');
    const options = typeof value === 'string' ? { output: value } : optionsOf('trace', value);
    const { output = 'stderr' } = options;
    return trace({
      ...options,
      output: output === 'stderr' ? output : fileOf('trace.output', output, folder),
    });
  },
  record(value, folder) {
    const { record } = require('@libcr/syscalls/shims/record');
    const options = typeof value === 'string' ? { file: value } : optionsOf('record', value);
    return record({ ...options, file: fileOf('record.file', options.file, folder) });
  },
  replay(value, folder) {
    const { replay } = require('@libcr/syscalls/shims/replay');
    const options = typeof value === 'string' ? { file: value } : optionsOf('replay', value);
    return replay({ ...options, file: fileOf('replay.file', options.file, folder) });
  },
  policy(value) {
    const { policy } = require('@libcr/syscalls/shims/policy');
    return policy(...rulesOf(value));
  },
  memfs(value) {
    const { memfs } = require('@libcr/syscalls/shims/memfs');
    const { tree, ...options } = optionsOf('memfs', value);
    return memfs(tree, options);
  },
  overlay(value, folder) {
    const { overlay } = require('@libcr/syscalls/shims/overlay');
    const { lower, at, ...options } =
      typeof value === 'string' ? { lower: value } : optionsOf('overlay', value);
    const layers = Array.isArray(lower)
      ? lower.map((each, i) => fileOf(`overlay.lower[${i}]`, each, folder))
      : fileOf('overlay.lower', lower, folder);
    return overlay({
      ...options,
      lower: layers,
      at: at === undefined ? at : fileOf('overlay.at', at, folder),
    });
  },
  fault(value) {
    const { fault } = require('@libcr/syscalls/shims/fault');
    return fault(...rulesOf(value));
  },
  latency(value) {
    const { latency } = require('@libcr/syscalls/shims/latency');
    return latency(...rulesOf(value));
  },
  metrics(value, folder) {
    const { metrics } = require('@libcr/syscalls/shims/metrics');
    const { file, ...options } =
      typeof value === 'string' ? { file: value } : { file: undefined, ...optionsOf('metrics', value) };
    checkKeys('options', options, ['file', 'on', 'buckets']);
    const shim = metrics(options);
    if (file === undefined) {
      writeAtExit(() => writeAll(2, shim.table()));
    } else {
      const path = fileOf('metrics.file', file, folder);
      const own = isMainThread ? path : `${path}.${threadId}`; // a Worker's
      writeAtExit(() => nodeFs.writeFileSync(own, shim.text()));
    }
    return shim;
  },
};

/** What those that do nothing without it have to be told. */
const NEEDED: Readonly<Record<string, string>> = {
  record: 'a file, or options with "file"',
  replay: 'a file, or options with "file"',
  policy: 'a list of rules, as [{ "action": "deny", "on": ["connect"] }]',
  memfs: 'options with "tree", as { "tree": { "/path": "content" } }',
  overlay: 'a directory, or options with "lower"',
  fault: 'a list of rules, as [{ "on": ["write"], "errno": "ENOSPC" }]',
  latency: 'a number of milliseconds, or a list of rules',
};

/** The names. */
export const readyMade: readonly string[] = Object.keys(makers);

/**
 * The ready-made shim of a name, from JSON: what its function takes; of functions with two arguments { rules, …options }. metrics also has `file`, which
 * is written at exit; without it a table is, to stderr. place says where the value stands, for errors; folder is where relative paths begin. Throws ERR_LIBCR_CONFIG.
 */
export function readyMadeShim(name: string, value: unknown, place: string, folder: string): Shim {
  const make = Object.hasOwn(makers, name) ? makers[name] : undefined;
  if (make === undefined)
    throw configError(place, `there is no ready-made shim "${name}"; there are ${readyMade.join(', ')}`);
  const isEmpty = value === undefined || value === true || value === '' || value === null;
  const hasNoTree = name === 'memfs' && !(isOptions(value) && value.tree !== undefined);
  if (NEEDED[name] !== undefined && (isEmpty || hasNoTree)) throw configError(place, `needs ${NEEDED[name]}`);
  try {
    return make(value, folder);
  } catch (error) {
    throw configError(place, textOf(error), error);
  }
}
