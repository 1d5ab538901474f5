/**
 * writer.ts: lines on their way into a file: gathered, and written at each turn of the event loop, when there are many, and at exit.
 *
 * Invariant: what is gathered is bounded, and what has been written is whole lines. From the first failure on nothing is written, and a
 * warning has said so.
 */
import { nodeFs } from '../../node-fs.ts';

const GATHER = 65536;
/** What programs read and send may be secret. */
const MODE = 0o600;

export class Writer {
  private readonly path: string;
  private readonly fd: number;
  private text = '';
  private planned = false;
  private open = true;
  /** How many have been given. */
  lines = 0;

  /** Throws what opening the file throws. */
  constructor(path: string) {
    this.path = path;
    this.fd = nodeFs.openSync(path, 'w', MODE);
  }

  write(line: object): void {
    if (!this.open) return;
    this.lines++;
    this.text += `${JSON.stringify(line)}\n`;
    if (this.text.length >= GATHER) this.flush();
    else if (!this.planned) {
      this.planned = true;
      setImmediate(() => this.flush()).unref();
    }
  }

  close(): void {
    this.flush();
    if (!this.open) return;
    this.open = false;
    nodeFs.closeSync(this.fd);
  }

  private flush(): void {
    this.planned = false;
    if (!this.open) return;
    const bytes = Buffer.from(this.text);
    this.text = '';
    try {
      for (let done = 0; done < bytes.length; ) done += nodeFs.writeSync(this.fd, bytes, done);
    } catch (error) {
      this.open = false;
      nodeFs.closeSync(this.fd);
      const message = `cannot write the recording to ${this.path}: ${(error as Error).message}; the program goes on unrecorded`;
      // Not emitWarning(), which waits for a tick that may not come.
      process.emit('warning', Object.assign(new Error(message), { name: 'Warning', code: 'LIBCR_RECORD' }));
    }
  }
}
