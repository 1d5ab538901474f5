/**
 * screen.ts: the terminal while a live table is on it: what is drawn takes the place of what was drawn before, q and Ctrl-C are heard, and in the end the terminal
 * is as before, with the last table left.
 */
import { createLogUpdate } from 'log-update';
import type { Size } from './table.ts';

const CTRL_C = 3;

export class Screen {
  /** Resolves when the user wants no more. */
  readonly closed: Promise<void>;
  readonly #log = createLogUpdate(process.stdout);
  #close: () => void = () => {};

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#close);
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true);
    process.stdin.on('data', (keys: Buffer) => {
      if (keys.includes('q') || keys.includes(CTRL_C)) this.#close();
    });
  }

  get size(): Size {
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  }

  draw(lines: string[]): void {
    this.#log(lines.join('\n'));
  }

  /** Signals go on being heard: one more Ctrl-C is not to change the exit status. */
  end(): void {
    this.#log.done();
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(false);
    process.stdin.destroy();
  }
}
