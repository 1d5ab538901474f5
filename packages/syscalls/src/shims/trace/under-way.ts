/**
 * under-way.ts: the calls of a trace that have not returned. The beginning of one is shown when another line comes first, and when the event loop has its turn: its
 * thread waits then. At exit, those that are left.
 *
 * Invariant: a line of a call is the last thing shown, or its call is one that waits.
 */
import { isError } from '@libcr/core/internal';
import { nanoseconds } from '../../clock.ts';
import { setImmediate, setTimeout } from '../../loop.ts';
import type { Next } from '../../port/shim.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { Line } from './line.ts';
import type { Output } from './output.ts';

/** Milliseconds between two looks at programs' calls: one that is there at both is one that waits. */
const PROGRAM_MS = 20;

/** Those that have calls under way. */
const busy = new Set<UnderWay>();
let listening = false;

/** At exit, before the files of later outputs are closed. */
function listen(): void {
  if (listening) return;
  listening = true;
  process.on('exit', () => {
    for (const each of busy) each.end();
  });
}

export class UnderWay {
  private readonly output: Output;
  private readonly limit: number;
  private readonly lines = new Set<Line>();
  /** Those of them that nobody has seen. */
  private readonly fresh = new Set<Line>();
  private planned = false;
  /** Those of programs that nobody had seen at the last look. */
  private seen: ReadonlySet<Line> = new Set();

  /** To be made before its output is, which has a listener at exit of its own. */
  static prepare(): void {
    listen();
  }

  constructor(output: Output, limit: number) {
    this.output = output;
    this.limit = limit;
  }

  /** Makes a call, and shows it. */
  follow(msg: SysMsg, next: Next): number {
    const line = new Line(msg, this.limit);
    this.begin(line, msg);
    const begin = nanoseconds();
    let reply = -1;
    let ending: string | undefined;
    try {
      reply = next(msg);
      return reply;
    } catch (error) {
      ending = `= ? (${isError(error) ? error.name : typeof error})`;
      throw error;
    } finally {
      const seconds = Number(nanoseconds() - begin) / 1e9;
      this.remove(line);
      this.interrupt();
      this.output.print(`${line.finished(reply, ending)} <${seconds.toFixed(6)}>`);
    }
  }

  /** The process ends: nothing comes back. */
  end(): void {
    for (const line of this.lines) this.output.print(line.last());
  }

  private begin(line: Line, msg: SysMsg): void {
    if (this.lines.size === 0) busy.add(this);
    this.lines.add(line);
    this.fresh.add(line);
    if (this.planned) return;
    this.planned = true;
    if (msg.pid !== process.pid) {
      // A program's: each of its calls waits for the program, if only for a moment.
      setTimeout(() => this.look(), PROGRAM_MS).unref();
      return;
    }
    // Not unref'd: the loop would sleep before it. It holds up the end of the program by one turn.
    setImmediate(() => {
      this.planned = false;
      this.interrupt();
    });
  }

  /** Shows the beginnings of those that were there at the last look. */
  private look(): void {
    for (const line of this.fresh) {
      if (!this.seen.has(line)) continue;
      this.fresh.delete(line);
      this.output.print(line.unfinished());
    }
    this.seen = new Set(this.fresh);
    this.planned = this.fresh.size > 0;
    if (this.planned) setTimeout(() => this.look(), PROGRAM_MS).unref();
  }

  private remove(line: Line): void {
    this.lines.delete(line);
    this.fresh.delete(line);
    if (this.lines.size === 0) busy.delete(this);
  }

  /** Shows the beginnings of those that have none yet. */
  private interrupt(): void {
    if (this.fresh.size === 0) return;
    const lines = [...this.fresh];
    this.fresh.clear();
    for (const line of lines) this.output.print(line.unfinished());
  }
}
