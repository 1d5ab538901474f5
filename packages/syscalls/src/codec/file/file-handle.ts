/** file-handle.ts: struct file_handle: its length, its type, and that many bytes (name_to_handle_at(2)). */
import { types } from 'node:util';
import { invalidType, outOfRange } from '@libcr/core/internal';

/** What stands for a file, on its file system, for as long as it exists. */
export interface FileHandle {
  type: number;
  handle: Uint8Array;
}

export interface MountedFileHandle extends FileHandle {
  /** With the flag AT_HANDLE_MNT_ID_UNIQUE (1, Linux 6.12) the one that is never used again. */
  mountId: number;
}

const HEADER = 8;
/** MAX_HANDLE_SZ */
const HANDLE_MAX = 128;

export function allocateFileHandle(): Buffer {
  const struct = Buffer.alloc(HEADER + HANDLE_MAX);
  struct.writeUInt32LE(HANDLE_MAX);
  return struct;
}

export function encodeFileHandle(name: string, value: FileHandle): Buffer {
  if (typeof value !== 'object' || value === null) throw invalidType(name, '{ type, handle }', value);
  const { type, handle } = value;
  if (!Number.isInteger(type)) throw invalidType(`${name}.type`, 'an integer', type);
  if (!types.isUint8Array(handle)) throw invalidType(`${name}.handle`, 'an instance of Uint8Array', handle);
  if (handle.length > HANDLE_MAX)
    throw outOfRange(`${name}.handle`, `at most ${HANDLE_MAX} bytes`, `${handle.length} bytes`);
  const struct = Buffer.alloc(HEADER + handle.length);
  struct.writeUInt32LE(handle.length, 0);
  struct.writeInt32LE(type | 0, 4);
  struct.set(handle, HEADER);
  return struct;
}

export function decodeFileHandle(struct: Buffer, mountId: Buffer): MountedFileHandle {
  const length = Math.min(struct.readUInt32LE(0), struct.length - HEADER);
  return {
    type: struct.readInt32LE(4),
    handle: Uint8Array.from(struct.subarray(HEADER, HEADER + length)),
    mountId: Number(mountId.readBigUInt64LE(0)), // of an int the rest is 0
  };
}
