/**
 * launch.ts: from a command line to a running script: finds it, makes process.argv what node would, installs
 * the shims and starts the first userthread. How the script is loaded is in script.ts.
 */
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { Failure, UsageError } from '../errors.ts';
import { installShims, type ShimOptions } from '../shims.ts';
import { type Core, importCore, importCoreInternal, importTop } from './packages.ts';
import { runScript } from './script.ts';
import { kindOf, register } from './typescript.ts';

/**
 * As much stack as V8 takes for JavaScript on the main thread (984 KiB): a script may recurse as deep as
 * under node.
 */
const STACK_SIZE = 1024 * 1024;

/** The script's real path, by which Node knows its modules. */
function find(path: string): string {
  let file: string;
  try {
    file = createRequire(import.meta.url).resolve(path);
  } catch {
    throw new Failure(`cannot find the script ${path}`);
  }
  // What /dev/stdin and /proc/self/fd/N lead to may have no path: 'pipe:[1234]'.
  if (!existsSync(file)) throw new UsageError(`SCRIPT must be a file, and ${path} is ${namelessKind(path)}`);
  return file;
}

function namelessKind(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat?.isFIFO()) return 'a pipe';
  return stat?.isSocket() ? 'a socket' : 'none that has a name';
}

/** Runs the top level. What it throws is reported as node reports it. */
function topLevel(run: () => void): void {
  try {
    run();
  } catch (error) {
    // Nobody joins the userthread, so Node's rule for unhandled rejections reports its errors, and well.
    if (typeof error === 'object' && error !== null && Object.hasOwn(error, 'stack')) throw error;
    // null, a string: of those the rule prints a remark about promises. As an exception it is printed plainly.
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** From here on; the file is written when the program exits. */
function traceEvents(core: Core, file: string): void {
  try {
    core.startTraceEvents({ file });
  } catch (error) {
    throw new Failure(`cannot write the trace events: ${(error as Error).message}`, { cause: error });
  }
}

export interface LaunchOptions extends ShimOptions {
  /** The file for trace events. */
  events?: string | undefined;
  /** LIBCR_STACK_SIZE for the program. */
  stackSize?: string | undefined;
  /** Whether `lwkt top` can look at it. */
  top: boolean;
}

/** Starts script with args. What it throws is reported as node reports an uncaught error. */
export async function launch(script: string, args: string[], options: LaunchOptions): Promise<void> {
  const path = resolve(script);
  const file = find(path);
  if (options.stackSize !== undefined) process.env.LIBCR_STACK_SIZE = options.stackSize;
  const core = await importCore(file).catch((error: Error & { code?: string }) => {
    if (error.code === 'ERR_OUT_OF_RANGE') throw new UsageError(error.message); // LIBCR_STACK_SIZE
    throw error;
  });
  process.argv.splice(1, process.argv.length - 1, path, ...args);
  const kind = kindOf(file);
  // Before the compiler: with it Node reads the source maps of what is loaded, ours too.
  const { preload } = await importCoreInternal(file);
  if (options.top) await importTop(file);
  // The compiler's cache asks for the time, more often when it is empty: that is none of the program's.
  if (options.recording !== undefined) process.env.TSX_DISABLE_CACHE = '1';
  await register(kind);
  const { shims, config, trace, folder } = options;
  const forRforks: ShimOptions = { shims, config, trace, folder };
  preload(new URL('rfork-preload.js', import.meta.url).href, forRforks);
  await installShims(file, options);
  if (options.events !== undefined) traceEvents(core, resolve(options.events));
  const stackSize = process.env.LIBCR_STACK_SIZE ? undefined : STACK_SIZE;
  core.create(() => topLevel(() => runScript(core, file, kind)), { name: 'main', stackSize });
}
