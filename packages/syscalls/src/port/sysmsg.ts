/** sysmsg.ts: a system call as shims see it: a message with the kernel's arguments, which are not changed but replaced. */

import { fileURLToPath } from 'node:url';
import type { UserThread } from '@libcr/core';
import { invalidType, invalidValue, isUrl } from '@libcr/core/internal';
import { viewBytes } from '../codec/bytes.ts';
import type { CallName, Row } from '../generated/rows.ts';
import { rowOf } from './calls.ts';
import type { Args } from './syscall-port.ts';

const NO_ARGUMENTS: Row['args'] = [];

export class SysMsg {
  /** The architecture's number (SYS_*). */
  readonly number: number;
  /** The kernel's arguments: numbers, buffers, paths (string or bytes), arrays of buffers, null. */
  readonly args: readonly unknown[];
  /** The userthread that makes the call; thread0 for code on the event loop; a program's thread (ProgramThread), under a Supervisor. */
  readonly td: UserThread;

  constructor(number: number, args: Args, td: UserThread) {
    this.number = number;
    this.args = args;
    this.td = td;
  }

  /** The process that makes it: this one; or a program's, under a Supervisor (@libcr/syscalls/supervisor). */
  get pid(): number {
    return (this.td as { pid?: number }).pid ?? process.pid;
  }

  /** The path of what that process runs. */
  get program(): string {
    return (this.td as { program?: string }).program ?? process.execPath;
  }

  /** Its name, as "openat". */
  get name(): CallName {
    return rowOf(this.number)?.name as CallName;
  }

  /** Its first path as text (bytes are read as UTF-8); undefined where it has none. */
  get path(): string | undefined {
    return this.pathAt(0);
  }

  /** Its second path: rename's and symlink's. */
  get dest(): string | undefined {
    return this.pathAt(1);
  }

  /** Its descriptor: the first argument that is one; undefined where it has none. */
  get fd(): number | undefined {
    const i = this.arguments.findIndex(({ format }) => format === 'fd');
    return i < 0 ? undefined : (this.args[i] as number);
  }

  /** The argument of a name, as in sys' functions: get('flags'). undefined where the call has none of that name. */
  get(name: string): unknown {
    const i = this.arguments.findIndex((argument) => argument.name === name);
    return i < 0 ? undefined : this.args[i];
  }

  /** The same call with other arguments, by their names: with({ path: '/other' }). Throws a TypeError for a name it has not. */
  with(changes: Record<string, unknown>): SysMsg {
    if (typeof changes !== 'object' || changes === null)
      throw invalidType('changes', 'of type object', changes);
    const args = [...this.args];
    for (const [name, value] of Object.entries(changes)) {
      const i = this.arguments.findIndex((argument) => argument.name === name);
      if (i < 0) throw invalidValue(`${this.name} has no argument "${name}"`);
      args[i] = isUrl(value) ? fileURLToPath(value) : value;
    }
    return new SysMsg(this.number, args, this.td);
  }

  private get arguments(): Row['args'] {
    return rowOf(this.number)?.args ?? NO_ARGUMENTS;
  }

  private pathAt(nth: number): string | undefined {
    let left = nth;
    for (let i = 0; i < this.arguments.length; i++) {
      if (this.arguments[i]?.format !== 'path' || left-- > 0) continue;
      const value = this.args[i];
      return typeof value === 'string' ? value : viewBytes(value as Uint8Array).toString();
    }
    return undefined;
  }
}
