/**
 * program-recording.ts: recordings of programs, which the launcher writes and replays: which files are some, and those that were packed by gzip or zstd. Those of scripts are
 * recording.ts's.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import { Failure } from './errors.ts';
import { importRecording } from './packages.ts';

const MAGIC = 'CORDING1';
const GZIP = '\x1f\x8b';
const ZSTD = '\x28\xb5\x2f\xfd';
const PACKED = 64 * 1024; // as much of a packed file has some bytes for sure

function beginning(file: string): Buffer {
  try {
    const fd = openSync(file, 'r');
    const bytes = Buffer.alloc(PACKED);
    const length = readSync(fd, bytes);
    closeSync(fd);
    return bytes.subarray(0, length);
  } catch {
    return Buffer.alloc(0); // whoever reads it says what is wrong
  }
}

const begins = (bytes: Buffer, text: string): boolean => bytes.toString('latin1', 0, text.length) === text;

/** Scripts' recordings may be packed by gzip, too. */
function isPackedProgram(bytes: Buffer): boolean {
  try {
    return begins(gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }), MAGIC);
  } catch {
    return false;
  }
}

/** Whether FILE is a recording of a program, packed or not. */
export function isProgramRecording(file: string): boolean {
  const bytes = beginning(file);
  return begins(bytes, MAGIC) || begins(bytes, ZSTD) || (begins(bytes, GZIP) && isPackedProgram(bytes));
}

/** The launcher's option that replays FILE. What is packed is unpacked into a file that the launcher removes as it begins. */
export async function replayOption(file: string): Promise<string> {
  if (begins(beginning(file), MAGIC)) return `--replay=${file}`;
  try {
    const { unpackRecording } = await importRecording(import.meta.url);
    return `--replay-temporary=${await unpackRecording(file)}`;
  } catch (error) {
    throw new Failure(`cannot replay: ${(error as Error).message}`, { cause: error });
  }
}
