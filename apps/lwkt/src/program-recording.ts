/**
 * program-recording.ts: recordings of programs, which the launcher writes and replays: which files are some, and those that were packed by gzip. Those of scripts are
 * recording.ts's.
 */
import { closeSync, createReadStream, createWriteStream, mkdtempSync, openSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Failure } from './errors.ts';

const MAGIC = 'CORDING1';
const GZIP = '\x1f\x8b';

function beginning(file: string): string {
  try {
    const fd = openSync(file, 'r');
    const bytes = Buffer.alloc(8);
    const length = readSync(fd, bytes);
    closeSync(fd);
    return bytes.toString('latin1', 0, length);
  } catch {
    return ''; // whoever reads it says what is wrong
  }
}

/** Whether FILE is a recording of a program, packed or not. */
export function isProgramRecording(file: string): boolean {
  const text = beginning(file);
  return text === MAGIC || text.startsWith(GZIP);
}

/** The launcher's option that replays FILE. What is packed is unpacked into a file that the launcher removes as it begins. */
export async function replayOption(file: string): Promise<string> {
  if (beginning(file) === MAGIC) return `--replay=${file}`;
  const unpacked = join(mkdtempSync(join(tmpdir(), 'lwkt-replay-')), 'recording');
  try {
    await pipeline(createReadStream(file), createGunzip(), createWriteStream(unpacked));
  } catch (error) {
    throw new Failure(`cannot replay: ${(error as Error).message}`, { cause: error });
  }
  return `--replay-temporary=${unpacked}`;
}
