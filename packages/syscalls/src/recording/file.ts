/**
 * file.ts: a recording's file, and pieces of it. What is packed by gzip or zstd is unpacked into a file without a name.
 *
 * Not here: what is in it (stream.ts, record.ts).
 *
 * Invariant: nothing is read, and no memory taken, beyond the file's end, whatever numbers the file has.
 */
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { CodedError } from '@libcr/core/internal';
import { nodeFs } from '../node-fs.ts';

const MAGIC = 'CORDING1';
const VERSION = 4;
const VERSION_AT = 8;
const GZIP = '1f8b';
const ZSTD = '28b52ffd';
/** Before the first window. */
export const HEAD_SIZE: number = 256 * 1024;

/** ERR_LIBCR_RECORDING. */
export function unusable(path: string, why: string, cause?: unknown): Error {
  return new CodedError('ERR_LIBCR_RECORDING', `${path} ${why}`, { cause });
}

function beginning(path: string): Buffer {
  const fd = nodeFs.openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(VERSION_AT + 4);
    return bytes.subarray(0, nodeFs.readSync(fd, bytes));
  } finally {
    nodeFs.closeSync(fd);
  }
}

/** What unpacks a file that begins so; undefined: it is not packed. One that is cut off is unpacked as far as it goes. */
function unpacking(path: string, begin: Buffer): Transform | undefined {
  const hex = begin.toString('hex');
  if (hex.startsWith(GZIP)) return zlib.createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
  if (!hex.startsWith(ZSTD)) return undefined;
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform }; // not in Node 20
  if (createZstdDecompress === undefined)
    throw unusable(path, 'is packed by zstd, which this Node can not unpack: unzstd(1) can');
  return createZstdDecompress();
}

const isCutOff = (error: unknown): boolean => (error as { code?: unknown }).code === 'Z_BUF_ERROR';

/** Unpacks the file into a new one in a folder of its own, which is whoever asks to remove; undefined: it is not packed. */
async function unpackFile(path: string): Promise<string | undefined> {
  const unpack = unpacking(path, beginning(path));
  if (unpack === undefined) return undefined;
  const folder = nodeFs.mkdtempSync(join(tmpdir(), 'libcr-recording-'));
  const unpacked = join(folder, 'recording');
  const fd = nodeFs.openSync(unpacked, 'w', 0o600);
  try {
    const packed = nodeFs.createReadStream(path);
    packed.on('error', (error) => unpack.destroy(error));
    for await (const bytes of packed.pipe(unpack)) nodeFs.writeSync(fd, bytes as Buffer);
  } catch (error) {
    if (!isCutOff(error)) {
      nodeFs.rmSync(folder, { recursive: true });
      throw unusable(path, `cannot be unpacked: ${(error as Error).message}`, error);
    }
  } finally {
    nodeFs.closeSync(fd);
  }
  return unpacked;
}

export class RecordingFile {
  readonly path: string;
  readonly size: number;
  private fd: number | undefined;

  /** path is what errors name. Throws what node:fs throws, and ERR_LIBCR_RECORDING. */
  private constructor(path: string, opened: string) {
    const fd = nodeFs.openSync(opened, 'r');
    this.path = path;
    this.fd = fd;
    try {
      const about = nodeFs.fstatSync(fd);
      this.size = about.isFile() ? about.size : 0;
      const begin = this.bytes(0, VERSION_AT + 4);
      if (begin?.toString('latin1', 0, VERSION_AT) !== MAGIC)
        throw unusable(path, 'is no recording of a program');
      const version = begin.readUInt32LE(VERSION_AT);
      if (version !== VERSION)
        throw unusable(path, `is a recording of version ${version}, and this libcr reads version ${VERSION}`);
      if (this.size <= HEAD_SIZE) throw unusable(path, 'is cut off before anything was recorded');
    } catch (error) {
      this.close();
      throw error;
    }
  }

  static async open(path: string): Promise<RecordingFile> {
    const unpacked = await unpackFile(path);
    try {
      return new RecordingFile(path, unpacked ?? path);
    } finally {
      if (unpacked !== undefined) nodeFs.rmSync(dirname(unpacked), { recursive: true });
    }
  }

  /** undefined: they are not there. */
  bytes(at: number, length: number): Buffer | undefined {
    if (this.fd === undefined) throw unusable(this.path, 'has been closed');
    if (!(at >= 0 && length >= 0 && at + length <= this.size)) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const n = nodeFs.readSync(this.fd, bytes, done, length - done, at + done);
      if (n === 0) return undefined; // somebody has cut it off meanwhile
      done += n;
    }
    return bytes;
  }

  close(): void {
    if (this.fd !== undefined) nodeFs.closeSync(this.fd);
    this.fd = undefined;
  }
}
