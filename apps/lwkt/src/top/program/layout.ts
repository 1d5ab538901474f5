/**
 * layout.ts: where a program's lwps lie in its memory: the table of that in the launcher (@libcr/posix-compat's native/top.c), found by its symbol in
 * the file that the process runs.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const SYMBOL = 'program_top';
const VERSION = 1;
const SHT_SYMTAB = 2;

/** The table's words behind the version, in their order. */
const WORDS = [
  'proc',
  'rforks',
  'rforksMax',
  'rforkSize',
  'lwpSize',
  'threadSize',
  'trapframeSize',
  'exe',
  'callNames',
  'callCount',
  'p_nlwps',
  'p_lwps',
  'rf_gd',
  'rf_tid',
  'rf_nswitches',
  'lwp_kstack',
  'lwp_tid',
  'lwp_proc',
  'lwp_next',
  'lwp_td',
  'lwp_comm',
  'lwp_nticks',
  'lwp_npreemptions',
  'td_gd',
  'td_flags',
  'td_pri',
  'td_nswitches',
  'td_stack_size',
  'td_wmesg',
  'tf_number',
] as const;

export type Layout = Record<(typeof WORDS)[number], number>;

/** A process' memory, from outside: nothing in it has to answer, and it is not stopped. What is read may change meanwhile. */
export class Memory {
  readonly #fd: number;

  /** Throws what the system says: ENOENT, ESRCH, EACCES. */
  constructor(pid: number) {
    this.#fd = openSync(`/proc/${pid}/mem`, 'r');
  }

  /** Throws where nothing is there. */
  read(address: number, size: number): Buffer {
    const bytes = Buffer.alloc(size);
    for (let n = 0; n < size; ) {
      const more = readSync(this.#fd, bytes, n, size - n, address + n);
      if (more === 0) throw Object.assign(new Error('the process has other memory now'), { code: 'EIO' });
      n += more;
    }
    return bytes;
  }

  word(address: number): number {
    return wordAt(this.read(address, 8), 0);
  }

  /** A string of the launcher's own, cut after 64 bytes. */
  text(address: number): string {
    if (address === 0) return '';
    const bytes = this.read(address, Math.min(64, 4096 - (address % 4096)));
    return textAt(bytes, 0, bytes.length);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export function wordAt(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset));
}

export function textAt(bytes: Buffer, offset: number, size: number): string {
  const text = bytes.subarray(offset, offset + size);
  const end = text.indexOf(0);
  return text.toString('utf8', 0, end < 0 ? size : end);
}

/** The value of a symbol of an ELF file; undefined where it has none of that name. (System V gABI, "Symbol Table") */
function symbolIn(file: Buffer, name: string): number | undefined {
  if (file.toString('latin1', 0, 4) !== '\x7fELF' || file.length < 64) return undefined;
  const [headers, size, count] = [wordAt(file, 40), file.readUInt16LE(58), file.readUInt16LE(60)];
  for (let i = 0; i < count; i++) {
    const header = headers + i * size;
    if (file.readUInt32LE(header + 4) !== SHT_SYMTAB) continue;
    const [from, length] = [wordAt(file, header + 24), wordAt(file, header + 32)];
    const strings = wordAt(file, headers + file.readUInt32LE(header + 40) * size + 24);
    for (let at = from; at < from + length; at += 24)
      if (textAt(file, strings + file.readUInt32LE(at), name.length + 1) === name)
        return wordAt(file, at + 8);
  }
  return undefined;
}

/** Of a process that is under libcr; undefined for all others. Throws what the system says. */
export function layoutOf(pid: number): Layout | undefined {
  const address = symbolIn(readFileSync(`/proc/${pid}/exe`), SYMBOL);
  if (address === undefined) return undefined;
  const memory = new Memory(pid);
  try {
    const bytes = memory.read(address, 8 * (1 + WORDS.length));
    if (wordAt(bytes, 0) !== VERSION) return undefined;
    return Object.fromEntries(WORDS.map((word, i) => [word, wordAt(bytes, 8 * (i + 1))])) as Layout;
  } finally {
    memory.close();
  }
}
