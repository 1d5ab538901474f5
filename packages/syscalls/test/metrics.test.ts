/** metrics.test.ts: the metrics shim: counts, outcomes, bytes, and a text that Prometheus reads. */
import fs from 'node:fs';
import { join } from 'node:path';
import { create, sleep } from '@libcr/core';
// @ts-expect-error It has no types.
import parse from 'parse-prometheus-text-format';
import { expect, test } from 'vitest';
import { constants as c, defineShim, sys } from '../src/index.ts';
import { type Metrics, type MetricsOptions, metrics } from '../src/shims/metrics/index.ts';
import { codeOf, errorOf, onUserthread, temporaryFolder } from './support.ts';

const file = join(temporaryFolder(), 'file');
fs.writeFileSync(file, 'hello world');

function under<R>(shim: Metrics, fn: () => R): R {
  return create(fn, { syscallPort: sys.with(shim) }).join() as R;
}

const work = (): void => {
  const fd = sys.open(file);
  sys.read(fd, Buffer.alloc(4));
  sys.read(fd, Buffer.alloc(100));
  codeOf(() => sys.write(fd, 'x')); // EBADF
  codeOf(() => sys.read(fd, 'x' as never)); // no call at all
  sys.close(fd);
  codeOf(() => sys.open(`${file}/x`));
};

test(
  'counts, outcomes and bytes',
  onUserthread(() => {
    const shim = metrics({ buckets: [1e-9, 3600] });
    under(shim, work);
    const figures = Object.fromEntries(shim.snapshot().map((call) => [call.call, call]));
    expect(Object.keys(figures)).toEqual(['close', 'open', 'read', 'write']);
    expect(figures).toMatchObject({
      close: { count: 1, outcomes: { ok: 1 }, inFlight: 0 },
      open: { count: 2, outcomes: { ok: 1, ENOTDIR: 1 } },
      read: { count: 3, outcomes: { ok: 2, thrown: 1 }, bytes: 11, direction: 'read' },
      write: { count: 1, outcomes: { EBADF: 1 }, bytes: 0, direction: 'written' },
    });
    expect(figures.close).not.toHaveProperty('bytes');
    expect(figures.read?.buckets).toEqual([
      [1e-9, 0],
      [3600, 3],
      [Infinity, 3],
    ]);
    expect(figures.read?.seconds).toBeGreaterThan(0);
    shim.reset();
    expect(shim.snapshot()).toEqual([]);
    expect(shim.text()).toBe('');
  }),
);

interface Family {
  name: string;
  type: string;
  metrics: Record<string, unknown>[];
}

test(
  'a text that a parser of Prometheus’ format reads',
  onUserthread(() => {
    const shim = metrics();
    under(shim, work);
    const families = Object.fromEntries((parse(shim.text()) as Family[]).map((each) => [each.name, each]));
    expect(Object.keys(families).sort()).toEqual([
      'libcr_syscall_bytes_total',
      'libcr_syscall_duration_seconds',
      'libcr_syscalls_in_flight',
      'libcr_syscalls_total',
    ]);
    expect(families.libcr_syscalls_total).toMatchObject({ type: 'COUNTER' });
    expect(families.libcr_syscalls_total?.metrics).toContainEqual({
      value: '1',
      labels: { call: 'open', outcome: 'ENOTDIR' },
    });
    expect(families.libcr_syscall_bytes_total?.metrics).toContainEqual({
      value: '11',
      labels: { call: 'read', direction: 'read' },
    });
    expect(families.libcr_syscall_duration_seconds).toMatchObject({ type: 'HISTOGRAM' });
    // The parser puts the histograms of all calls into one.
    const lines = shim
      .text()
      .split('\n')
      .filter((line) => line.includes('duration_seconds') && line.includes('"read"'));
    expect(lines).toHaveLength(18);
    expect(lines.at(15)).toBe('libcr_syscall_duration_seconds_bucket{call="read",le="+Inf"} 3');
    expect(lines.at(16)).toMatch(/^libcr_syscall_duration_seconds_sum\{call="read"\} [\d.e-]+$/);
    expect(lines.at(17)).toBe('libcr_syscall_duration_seconds_count{call="read"} 3');
    const counts = lines.slice(0, 16).map((line) => Number(line.split(' ')[1]));
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
  }),
);

test(
  'what is under way, which reset() does not forget',
  onUserthread(() => {
    const shim = metrics();
    const [r, w] = sys.pipe2(c.O_CLOEXEC);
    const td = create(() => sys.read(r, Buffer.alloc(1)), { syscallPort: sys.with(shim) });
    while (td.state !== 'blocked') sleep(0);
    expect(shim.snapshot()).toMatchObject([{ call: 'read', count: 0, inFlight: 1 }]);
    shim.reset();
    expect(shim.text()).toContain('libcr_syscalls_in_flight{call="read"} 1\n');
    sys.write(w, 'x');
    td.join();
    expect(shim.snapshot()).toMatchObject([{ call: 'read', count: 1, inFlight: 0 }]);
    const aborted = create(() => sys.read(r, Buffer.alloc(1)), { syscallPort: sys.with(shim) });
    while (aborted.state !== 'blocked') sleep(0);
    aborted.abort();
    codeOf(() => aborted.join());
    expect(shim.snapshot()).toMatchObject([{ outcomes: { ok: 1, thrown: 1 }, inFlight: 0 }]);
    sys.close(r);
    sys.close(w);
  }),
);

test(
  'only the calls asked for, on several ports, and an errno that nobody knows',
  onUserthread(() => {
    const shim = metrics({ on: ['getpid'] });
    const odd = defineShim({ name: 'odd', on: ['getpid'], shim: () => () => -4000 });
    under(shim, () => [sys.getpid(), sys.getppid()]);
    create(() => codeOf(() => sys.getpid()), { syscallPort: sys.with(shim, odd) }).join();
    expect(shim.snapshot()).toMatchObject([
      { call: 'getpid', count: 2, outcomes: { ok: 1, 'Unknown system error -4000': 1 } },
    ]);
    expect(() => parse(shim.text())).not.toThrow();
  }),
);

test.each<[unknown, string, RegExp]>([
  [null, 'ERR_INVALID_ARG_TYPE', /"options"/],
  [{ buckets: 1 }, 'ERR_INVALID_ARG_TYPE', /"buckets"/],
  [{ buckets: [] }, 'ERR_OUT_OF_RANGE', /"buckets\.length"/],
  [{ buckets: [1, 1] }, 'ERR_OUT_OF_RANGE', /"buckets\[1\]"/],
  [{ buckets: [0] }, 'ERR_OUT_OF_RANGE', /"buckets\[0\]"/],
  [{ buckets: [1, Infinity] }, 'ERR_OUT_OF_RANGE', /"buckets\[1\]"/],
  [{ buckets: ['1'] }, 'ERR_INVALID_ARG_TYPE', /"buckets\[0\]"/],
  [{ on: ['opne'] }, 'ERR_INVALID_ARG_VALUE', /opne/],
])('no options: %j', (options, code, message) => {
  expect(errorOf(() => metrics(options as MetricsOptions))).toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});
