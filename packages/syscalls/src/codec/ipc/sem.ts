/** sem.ts: struct sembuf (6 bytes; semop(2)). */
import { invalidType } from '@libcr/core/internal';
import { integer, object } from '../integer.ts';

export interface SemOperation {
  /** Its number in the set. */
  semaphore: number;
  /** What is added; 0 waits for zero. */
  operation: number;
  /** IPC_NOWAIT, SEM_UNDO. */
  flags?: number;
}

const SIZE = 6;

export function encodeSemOperations(name: string, operations: readonly SemOperation[]): Buffer {
  if (!Array.isArray(operations)) throw invalidType(name, 'an array of operations', operations);
  const struct = Buffer.alloc(operations.length * SIZE);
  operations.forEach((entry: SemOperation, i) => {
    const { semaphore, operation, flags = 0 } = object(`${name}[${i}]`, entry, '{ semaphore, operation }');
    struct.writeUInt16LE(integer(`${name}[${i}].semaphore`, semaphore, 0, 0xffff), i * SIZE);
    struct.writeInt16LE(integer(`${name}[${i}].operation`, operation, -0x8000, 0x7fff), i * SIZE + 2);
    struct.writeUInt16LE(integer(`${name}[${i}].flags`, flags, 0, 0xffff), i * SIZE + 4);
  });
  return struct;
}
