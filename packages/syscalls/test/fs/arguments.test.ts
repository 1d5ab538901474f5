/**
 * arguments.test.ts: node:fs' functions beside ours, with arguments of all kinds: the same answers, errors (class, code, text, paths) and effects, in each
 * form that this Node has. One argument at a time is another one than the right one; or the last ones are missing.
 */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import ownFs from '../../src/fs/index.ts';
import { temporaryFolder } from '../support.ts';
import { type Argument, type Place, TABLE } from './arguments-table.ts';

// biome-ignore lint/suspicious/noExplicitAny: functions by name
type Functions = Record<string, any>;

const folder = join(temporaryFolder(), 'at');

/** What the place looks like before a call; undefined where one has changed it. */
let untouched: string | undefined;

function madePlace(): Place {
  if (untouched === undefined) make();
  const fd = nodeFs.openSync(join(folder, 'file'), 'r+');
  untouched ??= JSON.stringify(shownFolder());
  return { folder, fd };
}

function make(): void {
  nodeFs.rmSync(folder, { recursive: true, force: true });
  nodeFs.mkdirSync(join(folder, 'dir', 'sub'), { recursive: true });
  nodeFs.mkdirSync(join(folder, 'empty'));
  nodeFs.writeFileSync(join(folder, 'dir', 'in'), 'x');
  nodeFs.writeFileSync(join(folder, 'file'), 'hello world\n', { mode: 0o644 });
  for (const [name, target] of Object.entries({
    link: 'file',
    broken: 'nowhere',
    dirlink: 'dir',
    loop: 'loop',
  }))
    nodeFs.symlinkSync(target, join(folder, name));
}

/** A file's own position shows in what comes next. */
function rest(fd: number): string {
  try {
    const bytes = Buffer.alloc(40);
    return bytes.toString('latin1', 0, nodeFs.readSync(fd, bytes));
  } catch {
    return 'closed';
  }
}

function shownFile(path: string): unknown {
  const { mode, nlink, size, atimeMs, mtimeMs } = nodeFs.lstatSync(path);
  const set = (ms: number): number | string => (Math.abs(ms - Date.now()) < 60_000 ? 'now' : ms);
  const text =
    (mode & 0o170000) === 0o100000 && size < 1000 ? nodeFs.readFileSync(path, 'latin1') : undefined;
  return [
    mode.toString(8),
    nlink,
    (mode & 0o170000) === 0o40000 ? 'directory' : size,
    set(atimeMs),
    set(mtimeMs),
    text,
  ];
}

const shownFolder = (): unknown =>
  nodeFs
    .readdirSync(folder, { recursive: true })
    .map((name) => [name, shownFile(join(folder, name as string))]);

function shown(value: unknown, name: string): unknown {
  if (value instanceof Error) {
    const { code, errno, syscall, path, dest, cause } = value as Error & Record<string, unknown>;
    return {
      name: value.name,
      message: value.message,
      code,
      errno,
      syscall,
      path,
      dest,
      cause: String(cause),
    };
  }
  if (typeof value === 'number' && name === 'open') {
    nodeFs.closeSync(value);
    return 'a descriptor';
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (ArrayBuffer.isView(value))
    return [
      value.constructor.name,
      Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'),
    ];
  if (Array.isArray(value)) return value.map((one) => shown(one, ''));
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof nodeFs.Dirent)
    return [value.name, value.parentPath, value.isDirectory(), Object.keys(value)];
  if ('close' in value) {
    (value as { close(): Promise<void> }).close().catch(() => {});
    return value.constructor.name;
  }
  return [value.constructor.name, Object.keys(value), 'size' in value ? String(value.size) : undefined];
}

const FORMS: Record<string, (fs: Functions, name: string, args: unknown[]) => Promise<unknown> | undefined> =
  {
    sync: (fs, name, args) =>
      fs[`${name}Sync`] && (async () => ({ answer: shown(fs[`${name}Sync`](...args), name) }))(),
    promise: (fs, name, args) =>
      fs.promises[name] && (async () => ({ answer: shown(await fs.promises[name](...args), name) }))(),
    callback: (fs, name, args) =>
      new Promise((resolve, reject) => {
        try {
          fs[name](...args, (...told: unknown[]) => resolve({ told: told.map((one) => shown(one, name)) }));
        } catch (error) {
          reject(error);
        }
      }),
    'no callback': async (fs, name, args) => ({ answer: fs[name](...args) }),
  };

const given = (value: unknown, place: Place): unknown => (typeof value === 'function' ? value(place) : value);

interface Outcome {
  answer: string;
  effects: string;
}

async function outcome(
  fs: unknown,
  form: string,
  name: string,
  values: readonly unknown[],
): Promise<Outcome> {
  const place = madePlace();
  const args = values.map((value) => given(value, place));
  const answer = await FORMS[form]?.(fs as Functions, name, args)?.catch((thrown) => ({
    thrown: shown(thrown, name),
  }));
  const after = JSON.stringify(shownFolder());
  if (after !== untouched) untouched = undefined;
  const effects = [rest(place.fd), after, args.map((arg) => shown(arg, ''))];
  try {
    nodeFs.closeSync(place.fd);
  } catch {
    // it was what the call has done
  }
  return { answer: JSON.stringify(answer) ?? 'not there', effects: JSON.stringify(effects) };
}

/** In one line: what has been given, and what has come of it. */
function difference(args: unknown[], own: Outcome, node: Outcome): string | undefined {
  const given = inspect(args, { breakLength: Infinity });
  if (own.answer !== node.answer) return `${given}: ${own.answer} and not ${node.answer}`;
  return own.effects === node.effects ? undefined : `${given}: left ${own.effects} and not ${node.effects}`;
}

/** Calls without a callback must be told so: one that is made would end in nothing. */
const NEEDS_NO_CALLBACK = ['close', 'rm'];

function callsOf(form: string, name: string, spec: readonly Argument[]): unknown[][] {
  const right = spec.map(([value]) => value);
  const fewer = spec.map((_, i) => right.slice(0, i));
  if (form === 'no callback') return NEEDS_NO_CALLBACK.includes(name) ? [] : fewer;
  const others = spec.flatMap(([, tried], i) => tried.map((value) => right.with(i, value)));
  return [right, ...fewer, ...others];
}

const cases = Object.entries(TABLE).flatMap(([key, spec]) =>
  Object.keys(FORMS).map((form) => [key, form, spec] as const),
);

/** What is known to differ: what readFile and its like make of descriptors that can be none, and words of Node's native half. */
const known = (name: string, args: unknown[]): boolean =>
  (/^(read|append|write)File$/.test(name) && args[0] === -1) || (name === 'close' && args.length === 0);

test.each(cases)('%s (%s)', async (key, form, spec) => {
  const name = key.replace(/:.*/, '');
  const differences: string[] = [];
  for (const args of callsOf(form, name, spec)) {
    if (known(name, args)) continue;
    const node = await outcome(nodeFs, form, name, args);
    const text = difference(args, await outcome(ownFs, form, name, args), node);
    if (text !== undefined) differences.push(text);
  }
  expect(differences).toEqual([]);
});
