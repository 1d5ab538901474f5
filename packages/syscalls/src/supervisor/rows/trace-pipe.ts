/**
 * trace-pipe.ts: the lines that programs write of their trace (TRACE_OF), for a function in this process: by a pipe, which they open as they would a file.
 *
 * Not here: what is in the lines (native/program/print), and when programs write any (row-table.ts).
 *
 * Invariant: lines come whole (up to PIPE_BUF's 4,096 bytes, where several processes write) and in the order in which they were written; what a process has written before its end was known comes before whoever waits for that end goes on
 * (drain).
 */
import { Socket } from 'node:net';
import { constants as c } from '../../generated/constants.ts';
import { native } from '../../native.ts';
import { nodeFs } from '../../node-fs.ts';

const PIECE = 65536;

export class TracePipe {
  /** Where programs write. */
  readonly file: string;
  private readonly socket: Socket;
  private readonly ends: readonly [read: number, write: number];
  private readonly take: (line: string) => void;
  private readonly piece = Buffer.alloc(PIECE);
  private rest = '';
  private open = true;
  private readonly atExit = (): void => this.drain();

  /** undefined where there is no pipe to be had. */
  static make(take: (line: string) => void): TracePipe | undefined {
    const ends = new Int32Array(2);
    const made = native.call(c.SYS_pipe2, Buffer.from(ends.buffer), c.O_CLOEXEC | c.O_NONBLOCK);
    return made < 0 ? undefined : new TracePipe([ends[0] as number, ends[1] as number], take);
  }

  private constructor(ends: readonly [number, number], take: (line: string) => void) {
    this.ends = ends;
    this.take = take;
    this.file = `/proc/${process.pid}/fd/${ends[1]}`;
    this.socket = new Socket({ fd: ends[0], readable: true, writable: false });
    this.socket.on('data', (bytes: Buffer) => this.add(bytes));
    this.socket.on('error', () => {}); // no more comes
    this.socket.unref();
    process.on('exit', this.atExit);
  }

  private add(bytes: Buffer): void {
    const lines = (this.rest + bytes.toString('latin1')).split('\n');
    this.rest = lines.pop() as string;
    for (const line of lines) this.take(line);
  }

  /** All that is there by now. */
  drain(): void {
    try {
      while (this.open) {
        const length = nodeFs.readSync(this.ends[0], this.piece);
        if (length === 0) return;
        this.add(this.piece.subarray(0, length));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }

  close(): void {
    this.drain();
    if (!this.open) return;
    this.open = false;
    process.off('exit', this.atExit);
    this.socket.destroy();
    nodeFs.closeSync(this.ends[1]);
  }
}
