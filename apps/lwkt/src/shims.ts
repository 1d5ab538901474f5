/**
 * shims.ts: what stands in front of the program's system calls: the files given with --shim, and trace.
 * Installed before the script is loaded, so that its first call is seen.
 */
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure } from './errors.ts';
import { importSyscalls, importTrace, type Syscalls } from './packages.ts';
import { summaryShim } from './summary.ts';
import { kindOf, register } from './typescript.ts';

export interface ShimOptions {
  /** Files that export shims, outermost first. */
  files: string[];
  /** Where trace writes: a path, or 2 for stderr; absent: no trace. */
  trace?: string | 2 | undefined;
  /** With trace: a table when the program ends. */
  summary?: boolean;
}

type Shim = Parameters<Syscalls['syscallPort']['shim']>[0];

const require = createRequire(import.meta.url);

const TRACE_WARNING = 'LIBCR_TRACE';

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function load(file: string): Promise<Shim[]> {
  const path = resolve(file);
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

/**
 * Installs what options say, for a script at `script`. trace is outermost: it shows what the program asked,
 * and the answer it got.
 */
export async function installShims(script: string, options: ShimOptions): Promise<void> {
  const { files, trace: target, summary = false } = options;
  if (files.length === 0 && target === undefined) return;
  const syscalls = await importSyscalls(script);
  const shims: Shim[] = [];
  for (const file of files) shims.push(...(await load(file)));
  if (target !== undefined) {
    const { trace } = await importTrace(script);
    const path = target === 2 ? undefined : resolve(target); // the script may go to another directory
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
}
