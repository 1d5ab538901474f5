/** load.ts: the load of the machine, every so often: a loop in time with the clock, without drift. */
import { constants, sys } from '@libcr/syscalls';
import { stream, ticker } from '@libcr/syscalls/net';

const [ms = 1000, count = 10] = process.argv.slice(2).map(Number);

function load(): string {
  const file = stream(sys.open('/proc/loadavg', constants.O_CLOEXEC));
  try {
    return file.readLine()?.split(' ')[0] ?? '';
  } finally {
    file.close();
  }
}

let left = count;
for (const n of ticker(ms)) {
  console.log(`${n * ms} ms: ${load()}`);
  if (--left <= 0) break;
}
