/**
 * progress.ts: a progress bar on stderr, if that is a terminal and stdout is not (else the lines would run
 * through it). The total is found by a walk of its own that opens no file.
 */
import { wait } from '@libcr/core';
import { walk } from './walk.ts';

export interface Progress {
  update(files: number): void;
  stop(): void;
}

const NONE: Progress = { update() {}, stop() {} };

/** Shows a bar for the files below folder, where one can be shown. */
export function startProgress(folder: Buffer): Progress {
  if (!process.stderr.isTTY || process.stdout.isTTY) return NONE;
  const { SingleBar } = wait(import('cli-progress')).default;
  let total = 0;
  walk(
    folder,
    () => {}, // the real walk reports it
    () => total++,
  );
  const bar = new SingleBar({ format: '{bar} {value}/{total} files, {duration} s', hideCursor: true });
  bar.start(total, 0);
  return bar;
}
