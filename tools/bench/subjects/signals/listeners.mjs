// Two processes send each other a signal in turns, from process.on's listeners: nanoseconds there and back. Both are this file: the second one has the first one's pid as
// its argument.
import { spawn } from 'node:child_process';
import { sampleAsync } from '../../sample.mjs';

const TURNS = 5_000;
const other = Number(process.argv[2]);

if (other) {
  process.on('SIGUSR2', () => process.kill(other, 'SIGUSR2'));
  process.on('SIGTERM', () => process.exit());
  setInterval(() => {}, 1000);
  process.kill(other, 'SIGUSR2');
} else {
  let heard;
  process.on('SIGUSR2', () => heard());
  const there = new Promise((resolve) => {
    heard = resolve;
  });
  const child = spawn(process.execPath, [process.argv[1], String(process.pid)], { stdio: 'inherit' });
  await there;
  await sampleAsync(
    TURNS,
    () =>
      new Promise((resolve) => {
        let left = TURNS;
        heard = () => (--left === 0 ? resolve() : process.kill(child.pid, 'SIGUSR2'));
        process.kill(child.pid, 'SIGUSR2');
      }),
  );
  child.kill('SIGTERM');
}
