/** fd-sets.ts: fd_set: 1,024 bits, as an array of descriptors (select(2)). */
import { invalidType } from '@libcr/core/internal';
import { integer, object } from '../integer.ts';

/** Descriptors below 1,024. */
export interface FdSets {
  read?: readonly number[];
  write?: readonly number[];
  except?: readonly number[];
}

/** The kernel's arguments. */
export interface EncodedFdSets {
  /** One more than the highest descriptor. */
  count: number;
  read: Buffer | null;
  write: Buffer | null;
  except: Buffer | null;
}

const FD_SETSIZE = 1024;

export function encodeFdSets(name: string, sets: FdSets): EncodedFdSets {
  object(name, sets, '{ read, write, except }');
  const encoded: EncodedFdSets = { count: 0, read: null, write: null, except: null };
  for (const key of ['read', 'write', 'except'] as const) {
    const list = sets[key];
    if (list === undefined) continue;
    if (!Array.isArray(list)) throw invalidType(`${name}.${key}`, 'an array of descriptors', list);
    const bits = Buffer.alloc(FD_SETSIZE / 8);
    list.forEach((fd, i) => {
      integer(`${name}.${key}[${i}]`, fd, 0, FD_SETSIZE - 1);
      bits[fd >> 3] = (bits[fd >> 3] as number) | (1 << (fd & 7));
      encoded.count = Math.max(encoded.count, fd + 1);
    });
    encoded[key] = bits;
  }
  return encoded;
}

/** The descriptors below count in a set. */
export function decodeFdSet(bits: Uint8Array, count: number): number[] {
  const list: number[] = [];
  for (let fd = 0; fd < Math.min(count, bits.length * 8); fd++)
    if (((bits[fd >> 3] as number) >> (fd & 7)) & 1) list.push(fd);
  return list;
}

/** Those that are ready. */
export function decodeFdSets({ count, read, write, except }: EncodedFdSets): Required<FdSets> {
  const list = (bits: Buffer | null): number[] => (bits === null ? [] : decodeFdSet(bits, count));
  return { read: list(read), write: list(write), except: list(except) };
}
