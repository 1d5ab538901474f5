/** metrics.ts: what is expected of the metrics shim, whoever makes the calls. */
import fs from 'node:fs';
import { join } from 'node:path';
// @ts-expect-error It has no types.
import parse from 'parse-prometheus-text-format';
import { expect, test } from 'vitest';
import { constants as c, defineShim, sys } from '../../src/index.ts';
import { metrics } from '../../src/shims/metrics/index.ts';
import { codeOf, onUserthread, temporaryFolder } from '../support.ts';
import { under, until, type Way } from './caller.ts';

interface Family {
  name: string;
  type: string;
  metrics: Record<string, unknown>[];
}

export function expectMetrics(way: Way): void {
  const file = join(temporaryFolder(), 'file');
  fs.writeFileSync(file, 'hello world');

  /** A program makes no call whose arguments are none. */
  const thrown = way.isProgram ? 0 : 1;
  const work = (): void => {
    const fd = sys.open(file);
    sys.read(fd, Buffer.alloc(4));
    sys.read(fd, Buffer.alloc(100));
    codeOf(() => sys.write(fd, 'x')); // EBADF
    if (thrown > 0) codeOf(() => sys.read(fd, 'x' as never)); // no call at all
    sys.close(fd);
    codeOf(() => sys.open(`${file}/x`));
  };

  test(
    'counts, outcomes and bytes',
    onUserthread(() => {
      const shim = metrics({ buckets: [1e-9, 3600] });
      under(way, shim, work);
      const figures = Object.fromEntries(shim.snapshot().map((call) => [call.call, call]));
      expect(Object.keys(figures)).toEqual(['close', 'open', 'read', 'write']);
      expect(figures).toMatchObject({
        close: { count: 1, outcomes: { ok: 1 }, inFlight: 0 },
        open: { count: 2, outcomes: { ok: 1, ENOTDIR: 1 } },
        read: {
          count: 2 + thrown,
          outcomes: { ok: 2, ...(thrown > 0 && { thrown }) },
          bytes: 11,
          direction: 'read',
        },
        write: { count: 1, outcomes: { EBADF: 1 }, bytes: 0, direction: 'written' },
      });
      expect(figures.close).not.toHaveProperty('bytes');
      expect(figures.read?.buckets).toEqual([
        [1e-9, 0],
        [3600, 2 + thrown],
        [Infinity, 2 + thrown],
      ]);
      expect(figures.read?.seconds).toBeGreaterThan(0);
      expect(shim.table()).toMatch(/^.* +2 +1 open\n/m);
      expect(shim.table()).toMatch(new RegExp(`^.* +${6 + thrown} +${2 + thrown} total\n$`, 'm'));
      shim.reset();
      expect(shim.snapshot()).toEqual([]);
      expect(shim.text()).toBe('');
      expect(shim.table()).toMatch(/ syscall\n-[ -]+-\n-[ -]+-\n100\.00 +0\.000000 +0 +total\n$/);
    }),
  );

  test(
    'a text that a parser of Prometheus’ format reads',
    onUserthread(() => {
      const shim = metrics();
      under(way, shim, work);
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
      expect(lines.at(15)).toBe(`libcr_syscall_duration_seconds_bucket{call="read",le="+Inf"} ${2 + thrown}`);
      expect(lines.at(16)).toMatch(/^libcr_syscall_duration_seconds_sum\{call="read"\} [\d.e-]+$/);
      expect(lines.at(17)).toBe(`libcr_syscall_duration_seconds_count{call="read"} ${2 + thrown}`);
      const counts = lines.slice(0, 16).map((line) => Number(line.split(' ')[1]));
      expect(counts).toEqual([...counts].sort((a, b) => a - b));
    }),
  );

  test(
    'what is under way, which reset() does not forget; what was interrupted is over',
    onUserthread(() => {
      const shim = metrics();
      const caller = way.begin([]);
      const [r, w] = caller.inside(() => sys.pipe2(c.O_CLOEXEC));
      caller.shim(shim);
      const reads = (): unknown => sys.read(r, Buffer.alloc(1));
      const isReading = (): boolean => shim.snapshot().find(({ call }) => call === 'read')?.inFlight === 1;
      const td = caller.create(reads);
      until(isReading);
      expect(shim.snapshot()).toMatchObject([{ call: 'read', count: 0, inFlight: 1 }]);
      shim.reset();
      expect(shim.text()).toContain('libcr_syscalls_in_flight{call="read"} 1\n');
      caller.inside(() => sys.write(w, 'x'));
      td.join();
      expect(shim.snapshot()).toMatchObject([
        { call: 'read', count: 1, inFlight: 0 },
        { call: 'write', count: 1 },
      ]);
      const interrupted = caller.create(() => codeOf(reads));
      until(isReading);
      caller.interrupt(interrupted);
      interrupted.join();
      expect(shim.snapshot()).toMatchObject([
        { outcomes: { ok: 1, thrown: 1 }, inFlight: 0 },
        { outcomes: { ok: 1 } },
      ]);
      if (!way.isProgram) for (const fd of [r, w]) sys.close(fd);
      caller.end();
    }),
  );

  test(
    'only the calls asked for, of several callers, and an errno that nobody knows',
    onUserthread(() => {
      const shim = metrics({ on: ['getpid'] });
      const odd = defineShim({ name: 'odd', on: ['getpid'], shim: () => () => -4000 });
      under(way, shim, () => [sys.getpid(), sys.getppid()]);
      under(way, [shim, odd], () => codeOf(() => sys.getpid()));
      expect(shim.snapshot()).toMatchObject([
        { call: 'getpid', count: 2, outcomes: { ok: 1, 'Unknown system error -4000': 1 } },
      ]);
      expect(() => parse(shim.text())).not.toThrow();
    }),
  );
}
