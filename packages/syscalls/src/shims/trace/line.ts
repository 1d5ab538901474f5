/**
 * line.ts: a call as a line, or as two: what is known when it begins to wait, and the rest when it has returned.
 *
 * Invariant: nothing here throws, whatever the arguments are: reading odd ones runs code of theirs (a getter, a valueOf).
 */
import { rowOf } from '../../port/calls.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import {
  earlyCount,
  formatArguments,
  formatReply,
  lengthsOf,
  unknownArguments,
  unknownName,
} from '../format/index.ts';

function attempted<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** What stands for arguments that can't be read. */
const UNREADABLE = ['…'];

export class Line {
  private readonly msg: SysMsg;
  private readonly limit: number;
  /** socklen_t and its like, before the call. */
  private readonly lengths: (number | undefined)[];
  /** How many arguments have been shown; undefined while there is no line of it. */
  private shown: number | undefined;

  constructor(msg: SysMsg, limit: number) {
    this.msg = msg;
    this.limit = limit;
    this.lengths = attempted(() => lengthsOf(rowOf(msg.number), msg.args)) ?? [];
  }

  /** Whether its beginning has been shown. */
  get begun(): boolean {
    return this.shown !== undefined;
  }

  /** read(3,  <unfinished ...> */
  unfinished(): string {
    const { msg } = this;
    const row = rowOf(msg.number);
    const early = attempted(() => (row === undefined ? msg.args.length : earlyCount(row, msg.args))) ?? 0;
    const all = this.arguments(-1);
    this.shown = early;
    const comma = early === 0 || early >= all.length ? '' : ', ';
    return this.line(`${all.slice(0, early).join(', ')}${comma} <unfinished ...>`, true);
  }

  /** read(3, "x", 1) = 1, or <... read resumed>"x", 1) = 1. ending: in place of the reply, which is taken for an error. */
  finished(reply: number, ending?: string): string {
    const { msg } = this;
    const row = rowOf(msg.number);
    const end = ending ?? attempted(() => formatReply(row, msg.args, reply)) ?? `= ${reply}`;
    const all = this.arguments(reply);
    return this.line(`${(this.begun ? all.slice(this.shown) : all).join(', ')}) ${end}`);
  }

  /** The last of a call of which nothing comes back. */
  last(): string {
    if (!this.begun) return `${this.unfinished()}) = ?`;
    const isAll = (this.shown as number) >= this.arguments(-1).length;
    return this.line(isAll ? ') = ?' : ' <unfinished ...>) = ?');
  }

  private arguments(reply: number): string[] {
    const { msg, limit, lengths } = this;
    const row = rowOf(msg.number);
    return (
      attempted(() =>
        row === undefined
          ? unknownArguments(msg.args)
          : formatArguments(row, msg.args, reply, limit, lengths),
      ) ?? UNREADABLE
    );
  }

  private line(rest: string, isNew = !this.begun): string {
    const { msg } = this;
    const name = msg.name ?? unknownName(msg.number);
    return `${String(msg.td.id).padEnd(5)} ${isNew ? `${name}(` : `<... ${name} resumed>`}${rest}`;
  }
}
