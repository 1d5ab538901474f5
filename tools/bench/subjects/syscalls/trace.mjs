// A write of 16 MiB to /dev/null that is traced without a limit, or a copy of its data into a new Buffer. node trace.mjs SCRATCH trace|copy text|bytes
import { create } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';
import { trace } from '@libcr/syscalls/shims/trace';
import { sampleBlocking } from '../../sample.mjs';

const SIZE = 16 << 20;
const [, , , what, kind] = process.argv;

const data = Buffer.alloc(SIZE, 'the quick brown fox jumps over the lazy dog\n');
for (let i = 0, x = 1; kind === 'bytes' && i < SIZE; i++) {
  x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
  data[i] = x >>> 24;
}

let kept;
if (what === 'copy') {
  sampleBlocking(1, () => {
    kept = Buffer.from(data);
  });
} else {
  const output = (line) => {
    kept = line;
  };
  const fd = sys.open('/dev/null', c.O_WRONLY);
  const syscallPort = sys.with(trace({ output, stringLimit: 2 ** 31 - 1 }));
  create(() => sampleBlocking(1, () => sys.write(fd, data)), { syscallPort });
}

export { kept };
