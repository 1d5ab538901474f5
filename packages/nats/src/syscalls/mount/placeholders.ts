/**
 * placeholders.ts: another host's descriptors in programs: for each the program has a descriptor of the kernel's, of an empty file in memory that stands for it. So it has a number as all have, is inherited, copied, passed on
 * and closed as all are, and the kernel says when the last copy is gone, however that came about.
 *
 * What a process has is read from /proc when it is met first, and kept up to date by the calls that change it (programs.ts).
 *
 * Invariant: a file stands for one descriptor there, from its making until its last descriptor is closed; then that one is closed.
 */
import { type FSWatcher, readdirSync, readlinkSync, statSync, watch } from 'node:fs';

const NAME = 'libcr-elsewhere';
/** memfd_create's arguments. */
export const placeholderOf = (closeOnExec: boolean): [string, number] => [NAME, closeOnExec ? 1 : 0];

interface Placeholder {
  readonly fd: number;
  readonly watcher: FSWatcher;
}

/** A process under a supervisor, as messages have it. */
export interface ProgramProcess {
  readonly pid: number;
}

export class Placeholders {
  private readonly all = new Map<string, Placeholder>();
  /** What a process has, by its numbers; absent: not known, or not any more. */
  private readonly tables = new WeakMap<ProgramProcess, Map<number, Placeholder>>();
  private readonly gone: (fd: number) => void;

  /** gone: nobody has that host's descriptor any more. */
  constructor(gone: (fd: number) => void) {
    this.gone = gone;
  }

  /** A program's descriptor is one of that host's from now on. Throws where the kernel can't tell of its end. */
  add(process: ProgramProcess, number: number, fd: number): void {
    const link = `/proc/${process.pid}/fd/${number}`;
    const key = keyOf(link);
    const watcher = watch(link, { persistent: false }, (event) => {
      if (event === 'rename') this.end(key); // it has no name but its descriptors
    });
    watcher.on('error', () => {}); // it is gone
    const placeholder = { fd, watcher };
    this.all.set(key, placeholder);
    this.tableOf(process).set(number, placeholder);
  }

  /** That host's descriptor; undefined for one of this host's. */
  fdOf(process: ProgramProcess, number: unknown): number | undefined {
    if (this.all.size === 0 || typeof number !== 'number' || number < 0) return undefined;
    return this.tableOf(process).get(number)?.fd;
  }

  /** A number is another's copy now, or whatever else. */
  copied(process: ProgramProcess, from: number, to: number): void {
    const table = this.tables.get(process);
    const placeholder = table?.get(from);
    if (placeholder === undefined) table?.delete(to);
    else table?.set(to, placeholder);
  }

  closed(process: ProgramProcess, from: number, to: number = from): void {
    const table = this.tables.get(process);
    for (const number of table?.keys() ?? []) if (number >= from && number <= to) table?.delete(number);
  }

  /** What it has may have become another. */
  forget(process: ProgramProcess): void {
    this.tables.delete(process);
  }

  private tableOf(process: ProgramProcess): Map<number, Placeholder> {
    let table = this.tables.get(process);
    if (table === undefined) {
      table = this.read(process.pid);
      this.tables.set(process, table);
    }
    return table;
  }

  private read(pid: number): Map<number, Placeholder> {
    const table = new Map<number, Placeholder>();
    if (this.all.size === 0) return table;
    for (const number of readdirSync(`/proc/${pid}/fd`)) {
      const link = `/proc/${pid}/fd/${number}`;
      const placeholder = isOurs(link) ? this.all.get(keyOf(link)) : undefined;
      if (placeholder !== undefined) table.set(Number(number), placeholder);
    }
    return table;
  }

  private end(key: string): void {
    const placeholder = this.all.get(key);
    if (placeholder === undefined) return;
    this.all.delete(key);
    placeholder.watcher.close();
    this.gone(placeholder.fd);
  }

  /** There are no programs any more. */
  close(): void {
    for (const key of [...this.all.keys()]) this.end(key);
  }
}

/** The file's, whichever descriptor it is seen by. */
function keyOf(link: string): string {
  const { dev, ino } = statSync(link, { bigint: true });
  return `${dev}:${ino}`;
}

function isOurs(link: string): boolean {
  try {
    return readlinkSync(link).startsWith(`/memfd:${NAME}`);
  } catch {
    return false; // what readdir itself had open
  }
}
