/**
 * recording.ts: `lwkt record` and `lwkt replay`: the shims that write a program's system calls into a file, and that answer them from there, and what
 * replay says on stderr. Clock readings and random numbers are in the recording, too.
 */
import { readFileSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { Failure } from '../errors.ts';
import { importRecord, importReplay } from './packages.ts';

export interface Recording {
  way: 'record' | 'replay';
  /** The recording's file. */
  file: string;
  /** With replay: one that is cut off, too, as far as it goes. */
  partial?: boolean;
}

type Shim = ReturnType<Awaited<ReturnType<typeof importRecord>>['record']>;

/** Where record writes if nobody says: app.recording, for app.ts, in the working directory. */
export function recordingOf(script: string): string {
  return `${basename(script, extname(script))}.recording`;
}

let over = false;

/** What differs, and the end: the program can't go on as it did. */
function diverged(error: Error): void {
  over = true;
  process.stderr.write(`lwkt: replay: ${error.message}\n`);
  process.exit(1);
}

/** Says where a script is not the one that was recorded: what it does may differ from the first call on. */
function compareScript(script: string, recorded: { path: string; hash: string } | undefined): void {
  if (recorded === undefined) return;
  const hash = process
    .getBuiltinModule('node:crypto')
    .createHash('sha256')
    .update(readFileSync(script))
    .digest('hex');
  if (hash !== recorded.hash)
    process.stderr.write(`lwkt: replay: ${script} has changed since ${recorded.path} was recorded\n`);
}

/** The shim for a script, which stands inside of trace and outside of all others. */
export async function recordingShim(
  script: string,
  { way, file, partial = false }: Recording,
): Promise<Shim> {
  try {
    if (way === 'record') return (await importRecord(script)).record({ file, clock: true, script });
    const { replay } = await importReplay(script);
    const shim = replay({ file, partial, onDiverged: diverged });
    compareScript(script, shim.header.script);
    process.on('exit', (status) => {
      if (over) return;
      try {
        shim.finish();
      } catch (error) {
        process.stderr.write(`lwkt: replay: ${(error as Error).message}\n`);
        if (status === 0) process.exitCode = 1;
      }
    });
    return shim as unknown as Shim;
  } catch (error) {
    throw new Failure(`cannot ${way}: ${(error as Error).message}`, { cause: error });
  }
}

/** The script and its arguments, as they were recorded. */
export async function recordedCommand(file: string): Promise<[script: string, args: string[]]> {
  const { readHeader } = await importReplay(import.meta.url);
  try {
    const { argv, script } = readHeader(resolve(file));
    return [script?.path ?? (argv[1] as string), argv.slice(2)];
  } catch (error) {
    throw new Failure(`cannot replay: ${(error as Error).message}`, { cause: error });
  }
}
