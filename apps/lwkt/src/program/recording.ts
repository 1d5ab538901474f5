/**
 * recording.ts: recordings of programs, which the launcher writes and replays: which files are some, and those that were packed by gzip or zstd. Those of scripts are
 * script/recording.ts'.
 *
 * Not here: what is in one (@libcr/syscalls/recording, which needs a native half for this Node; a replay does not).
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { Failure } from '../errors.ts';

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
    return begins(zlib.gunzipSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH }), MAGIC);
  } catch {
    return false;
  }
}

/** Whether FILE is a recording of a program, packed or not. */
export function isProgramRecording(file: string): boolean {
  const bytes = beginning(file);
  return begins(bytes, MAGIC) || begins(bytes, ZSTD) || (begins(bytes, GZIP) && isPackedProgram(bytes));
}

/** As far as it goes, if it is cut off. */
function unpacking(file: string): Transform {
  if (begins(beginning(file), GZIP)) return zlib.createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform }; // not in Node 20
  if (createZstdDecompress === undefined)
    throw new Failure(
      `cannot replay: ${file} is packed by zstd, which this Node can not unpack: unzstd(1) can`,
    );
  return createZstdDecompress();
}

/** The launcher's option that replays FILE. What is packed is unpacked into a file that the launcher removes as it begins. */
export async function replayOption(file: string): Promise<string> {
  if (begins(beginning(file), MAGIC)) return `--replay=${file}`;
  const unpack = unpacking(file);
  const folder = mkdtempSync(join(tmpdir(), 'lwkt-replay-'));
  const unpacked = join(folder, 'recording');
  try {
    await pipeline(createReadStream(file), unpack, createWriteStream(unpacked));
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw new Failure(`cannot replay: ${file} cannot be unpacked: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return `--replay-temporary=${unpacked}`;
}
