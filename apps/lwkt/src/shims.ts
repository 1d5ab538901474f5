/**
 * shims.ts: what stands in front of the system calls of a script, or a program: what --shim and --config name, and trace.
 * Before a script they are installed before it is loaded, so that its first call is seen.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure } from './errors.ts';
import { type Config, importConfig, importSyscalls, importTrace, type Syscalls } from './script/packages.ts';
import { type Recording, recordingShim } from './script/recording.ts';
import { summaryShim } from './script/summary.ts';
import { kindOf, register } from './script/typescript.ts';

export interface ShimOptions {
  /** --shim's values, outermost first: files that export shims, or NAME[:VALUE] of a ready-made one. */
  shims: string[];
  /** A configuration file of @libcr/syscalls/register; its shims are outside of those. */
  config?: string | undefined;
  /** record or replay, which rforks don't have. */
  recording?: Recording | undefined;
  /** Where trace writes: a path, or 2 for stderr; absent: no trace. */
  trace?: string | 2 | undefined;
  /** Where relative paths of the command line begin: the working directory that it was given in; an rfork may begin in another. */
  folder: string;
  /** With trace: a table when the program ends. */
  summary?: boolean;
}

export type Shim = Parameters<Syscalls['syscallPort']['shim']>[0];

const require = createRequire(import.meta.url);

const NOTHING: ReturnType<Config['readConfig']> = { shims: [], fs: false };

const TRACE_WARNING = 'LIBCR_TRACE';

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function load(file: string, folder: string): Promise<Shim[]> {
  const path = resolve(folder, file);
  try {
    require.resolve(path);
  } catch {
    throw new Failure(`cannot find the shim file ${path}`);
  }
  const kind = kindOf(path);
  await register(kind);
  let exported: Record<string, unknown>;
  try {
    exported = kind === 'typescript commonjs' ? require(path) : await import(pathToFileURL(path).href);
  } catch (error) {
    throw new Failure(`cannot load the shim file ${path}: ${message(error)}`, { cause: error });
  }
  const chosen = exported.default ?? exported.shim ?? exported;
  const shims = Array.isArray(chosen) ? chosen : [chosen];
  if (shims.length === 0 || !shims.every((shim) => typeof shim?.shim === 'function'))
    throw new Failure(
      `${path} exports no shim: its default export, or an export named shim, must be what defineShim() returns, ` +
        'or an array of such',
    );
  return shims;
}

/** A value on the command line: JSON, a file that has it, or text. */
function parseValue(spec: string, value: string, folder: string): unknown {
  const isPath = value.endsWith('.json');
  if (!isPath && !/^(?:[[{"\d-]|true$|false$)/.test(value)) return value;
  let text = value;
  try {
    if (isPath) text = readFileSync(resolve(folder, value), 'utf8');
    return JSON.parse(text);
  } catch (error) {
    throw new Failure(`--shim ${spec}: ${message(error)}`, { cause: error });
  }
}

/** The shims of one --shim. */
async function shimsOf(spec: string, config: Config, folder: string): Promise<Shim[]> {
  const [, name, value] = /^([a-z]+)(?::(.*))?$/s.exec(spec) ?? [];
  if (name === undefined || !config.readyMade.includes(name)) return load(spec, folder);
  const read = value === undefined ? undefined : parseValue(spec, value, folder);
  return [fails(() => config.readyMadeShim(name, read, `--shim ${name}`, folder))];
}

/** A configuration's error is a line on stderr. */
function fails<R>(fn: () => R): R {
  try {
    return fn();
  } catch (error) {
    if ((error as NodeJS.ErrnoException)?.code !== 'ERR_LIBCR_CONFIG') throw error;
    throw new Failure(message(error), { cause: error });
  }
}

/** Whether a warning has said that the trace cannot be written. */
let broken = false;

/** At exit. As with trace's own lines: what cannot be written is a warning, once, and no error of the program. */
function appendTable(path: string | undefined, table: string): void {
  try {
    if (path === undefined) process.stderr.write(table);
    else appendFileSync(path, table);
  } catch (error) {
    if (broken) return;
    const warning = new Error(`cannot write the table to ${path}: ${message(error)}`);
    // emitWarning() waits for the next tick, and none comes.
    process.emit('warning', Object.assign(warning, { name: 'Warning', code: TRACE_WARNING }));
  }
}

/** The shims that --config and --shim name, the outermost first; and whether node:fs is to go through them. */
export async function namedShims(
  from: string,
  { shims: specs, config: file, folder }: Pick<ShimOptions, 'shims' | 'config' | 'folder'>,
): Promise<{ shims: Shim[]; fs: boolean }> {
  const config = await importConfig(from);
  const { shims: configured, fs } =
    file === undefined ? NOTHING : fails(() => config.readConfig(resolve(folder, file)));
  const shims: Shim[] = [...configured];
  for (const spec of specs) shims.push(...(await shimsOf(spec, config, folder)));
  return { shims, fs };
}

/**
 * Installs what options say, for a script at `script`. trace is outermost: it shows what the program asked,
 * and the answer it got.
 */
export async function installShims(script: string, options: ShimOptions): Promise<void> {
  const { shims: specs, config: file, recording, trace: target, folder, summary = false } = options;
  if (specs.length === 0 && [file, recording, target].every((each) => each === undefined)) return;
  const syscalls = await importSyscalls(script);
  const { shims, fs } = await namedShims(script, options);
  if (recording !== undefined) shims.unshift(await recordingShim(script, recording));
  if (target !== undefined) {
    const { trace } = await importTrace(script);
    const path = target === 2 ? undefined : resolve(folder, target); // the script may go to another directory
    const counts = summary ? summaryShim(syscalls) : undefined;
    if (counts) shims.unshift(counts.shim);
    try {
      shims.unshift(trace({ output: path ?? 'stderr' }));
    } catch (error) {
      throw new Failure(`cannot write the trace: ${message(error)}`, { cause: error });
    }
    if (counts) {
      process.on('warning', (warning) => {
        if ((warning as NodeJS.ErrnoException).code === TRACE_WARNING) broken = true;
      });
      // Behind trace's own handler, which writes the last lines.
      process.on('exit', () => appendTable(path, counts.table()));
    }
  }
  syscalls.syscallPort.shim(...shims);
  if (fs) await (await importConfig(script)).putUnderFs();
}
