/** metrics.test.ts: what metrics.test.ts of @libcr/syscalls expects, of the calls of a program. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, wait } from '@libcr/core';
import { constants as c, defineShim, sys } from '@libcr/syscalls';
import { metrics } from '@libcr/syscalls/shims/metrics';
import { expect, test } from 'vitest';
import { codeOf, onUserthread } from '../../../syscalls/test/support.ts';
import { scratch } from '../programs.ts';
import { ToldProgram, underProgram } from './made-by-program.ts';

const file = join(scratch, 'file');
writeFileSync(file, 'hello world');

const work = (): void => {
  const fd = sys.open(file);
  sys.read(fd, Buffer.alloc(4));
  sys.read(fd, Buffer.alloc(100));
  codeOf(() => sys.write(fd, 'x')); // EBADF
  sys.close(fd);
  codeOf(() => sys.open(`${file}/x`));
};

test(
  'counts, outcomes and bytes',
  onUserthread(() => {
    const shim = metrics({ buckets: [1e-9, 3600] });
    underProgram(shim, work);
    const figures = Object.fromEntries(shim.snapshot().map((call) => [call.call, call]));
    expect(Object.keys(figures)).toEqual(['close', 'open', 'read', 'write']);
    expect(figures).toMatchObject({
      close: { count: 1, outcomes: { ok: 1 }, inFlight: 0 },
      open: { count: 2, outcomes: { ok: 1, ENOTDIR: 1 } },
      read: { count: 2, outcomes: { ok: 2 }, bytes: 11, direction: 'read' },
      write: { count: 1, outcomes: { EBADF: 1 }, bytes: 0, direction: 'written' },
    });
    expect(figures.close).not.toHaveProperty('bytes');
    expect(figures.read?.buckets).toEqual([
      [1e-9, 0],
      [3600, 2],
      [Infinity, 2],
    ]);
    expect(figures.read?.seconds).toBeGreaterThan(0);
    const lines = shim.text().split('\n');
    for (const line of [
      'libcr_syscalls_total{call="open",outcome="ENOTDIR"} 1',
      'libcr_syscall_bytes_total{call="read",direction="read"} 11',
      'libcr_syscall_duration_seconds_count{call="read"} 2',
    ])
      expect(lines).toContain(line);
  }),
);

test(
  'what is under way, which reset() does not forget; what a killed program leaves is over',
  onUserthread(() => {
    const shim = metrics();
    const program = new ToldProgram([shim]);
    const [r, w] = program.inside(() => sys.pipe2(c.O_CLOEXEC));
    const reads = (): unknown => sys.read(r, Buffer.alloc(1));
    const underWay = () => shim.snapshot().find(({ call }) => call === 'read')?.inFlight;
    const td = program.create(reads);
    while (underWay() !== 1) sleep(1);
    expect(shim.snapshot()).toMatchObject([{ call: 'pipe2' }, { call: 'read', count: 0, inFlight: 1 }]);
    shim.reset();
    expect(shim.text()).toContain('libcr_syscalls_in_flight{call="read"} 1\n');
    program.inside(() => sys.write(w, 'x'));
    td.join();
    expect(shim.snapshot()).toMatchObject([
      { call: 'read', count: 1, inFlight: 0 },
      { call: 'write', count: 1 },
    ]);
    const killed = program.create(() => codeOf(reads));
    while (underWay() !== 1) sleep(1);
    process.kill(program.pid, 'SIGKILL');
    killed.join();
    wait(program.end());
    expect(shim.snapshot()).toMatchObject([
      { outcomes: { ok: 1, thrown: 1 }, inFlight: 0 },
      { outcomes: { ok: 1 } },
    ]);
  }),
);

test(
  'only the calls asked for, and an errno that nobody knows',
  onUserthread(() => {
    const shim = metrics({ on: ['getpid'] });
    const odd = defineShim({ name: 'odd', on: ['getpid'], shim: () => () => -4000 });
    underProgram(shim, () => [sys.getpid(), sys.getppid()]);
    underProgram([shim, odd], () => codeOf(() => sys.getpid()));
    expect(shim.snapshot()).toMatchObject([
      { call: 'getpid', count: 2, outcomes: { ok: 1, 'Unknown system error -4000': 1 } },
    ]);
  }),
);
