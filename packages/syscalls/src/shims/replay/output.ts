/**
 * output.ts: what a replayed program writes to standard output and standard error, written once more, so that it is seen.
 *
 * Not here: console.log() and process.stdout, which do not go through the port and so are as ever.
 *
 * Invariant: a descriptor that the program has closed, or put something else in the place of, is written to no more.
 */
import { constants as c } from '../../generated/constants.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { memoryOf } from '../recording/bytes.ts';
import { writeAll } from '../write-all.ts';

const STANDARD = [1, 2];
const WRITES: readonly number[] = [c.SYS_write, c.SYS_writev];

export class Output {
  private readonly open = new Set(STANDARD);

  /** A call that has been answered with reply. Written data is thrown away where nobody takes it. */
  answered({ number, args: [first, second, third] }: SysMsg, reply: number): void {
    if (reply < 0) return;
    if (number === c.SYS_close) this.open.delete(first as number);
    else if ((number === c.SYS_dup2 || number === c.SYS_dup3) && first !== second)
      this.open.delete(second as number);
    else if (number === c.SYS_close_range && third === 0) {
      for (const fd of STANDARD)
        if (fd >= (first as number) && fd <= (second as number)) this.open.delete(fd);
    }
    if (!WRITES.includes(number) || !this.open.has(first as number)) return;
    const views = (Array.isArray(second) ? second : [second]).filter((view) => ArrayBuffer.isView(view));
    const data = Buffer.concat(views.map((view) => memoryOf(view, Number.POSITIVE_INFINITY)));
    try {
      writeAll(first as number, data.subarray(0, reply));
    } catch {
      this.open.delete(first as number);
    }
  }
}
