// A program sends itself a signal, and process.on's listener is called: nanoseconds for one.
import { sampleAsync } from '../../sample.mjs';

const SIGNALS = 10_000;
const send = () => process.kill(process.pid, 'SIGUSR2');
let left = 0;
let done;

process.on('SIGUSR2', () => (--left === 0 ? done() : send()));
setInterval(() => {}, 1000); // a listener keeps no program alive
await sampleAsync(
  SIGNALS,
  () =>
    new Promise((resolve) => {
      left = SIGNALS;
      done = resolve;
      send();
    }),
);
process.exit();
