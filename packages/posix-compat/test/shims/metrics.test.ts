/** metrics.test.ts: what --metrics writes, in the form of the shim of that name: counts, errors, durations and bytes, of each process. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, run } from '@libcr/core';
import { sys } from '@libcr/syscalls';
import { metrics } from '@libcr/syscalls/shims/metrics';
import { expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { spawn } from '../../src/spawn/index.ts';
import { compile, natively, scratch, underLibcr } from '../programs.ts';

const folder = () => mkdtempSync(join(scratch, 'metrics-'));

/** Samples by their names with labels. */
function samples(file: string): Record<string, number> {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return Object.fromEntries(
    lines
      .filter((line) => !line.startsWith('#'))
      .map((line) => {
        const [, name, value] = /^(\w+(?:\{[^}]*\})?) ([\d.]+)$/.exec(line) as unknown as [
          string,
          string,
          string,
        ];
        return [name, Number(value)];
      }),
  );
}

/** seconds: how long the whole program took, at least as long as each of its calls. */
async function measured(
  command: string,
  args: string[],
): Promise<{ file: string; files: string[]; seconds: number }> {
  const cwd = folder();
  const begun = performance.now();
  await underLibcr(command, args, { options: ['--metrics', 'file'], cwd, env: { LC_ALL: 'C' } });
  const seconds = (performance.now() - begun) / 1000;
  return { file: join(cwd, 'file'), seconds, files: readdirSync(cwd).map((name) => join(cwd, name)) };
}

test('counts by outcome, bytes, durations', async () => {
  const { file, files, seconds } = await measured('/bin/cat', ['/etc/passwd', '/nosuch']);
  const figures = samples(file);
  expect(files).toEqual([file]);
  expect(figures).toMatchObject({
    'libcr_syscalls_total{call="openat",outcome="ENOENT"}': 1,
    'libcr_syscalls_total{call="exit_group",outcome="ok"}': 1,
    'libcr_syscalls_in_flight{call="read"}': 0,
    'libcr_syscalls_in_flight{call="exit_group"}': 0,
    libcr_lwps_total: 1,
    libcr_preemptions_total: 0,
  });
  const reads = figures['libcr_syscalls_total{call="read",outcome="ok"}'] as number;
  expect(reads).toBeGreaterThan(1);
  expect(figures['libcr_syscall_bytes_total{call="read",direction="read"}']).toBeGreaterThanOrEqual(
    readFileSync('/etc/passwd').length,
  );
  expect(figures['libcr_syscall_duration_seconds_count{call="read"}']).toBe(reads);
  expect(figures['libcr_syscall_duration_seconds_bucket{call="read",le="+Inf"}']).toBe(reads);
  const sum = figures['libcr_syscall_duration_seconds_sum{call="read"}'] as number;
  expect(sum).toBeGreaterThan(0);
  expect(sum).toBeLessThan(seconds);
});

test('how long a call has waited; each histogram rises', async () => {
  const { file, seconds } = await measured('/bin/sleep', ['0.2']);
  const figures = samples(file);
  const slept = figures['libcr_syscall_duration_seconds_sum{call="clock_nanosleep"}'] as number;
  expect(slept).toBeGreaterThanOrEqual(0.2);
  expect(slept).toBeLessThan(seconds);
  const buckets = Object.keys(figures).filter((name) => name.includes('_bucket{call="clock_nanosleep"'));
  expect(buckets).toHaveLength(16);
  for (const bucket of buckets) {
    const bound = Number(/le="([^"]+)"/.exec(bucket)?.[1]?.replace('+Inf', 'Infinity'));
    expect([bucket, figures[bucket]]).toEqual([bucket, slept <= bound ? 1 : 0]);
  }
  const names = Object.keys(figures).filter((name) => name.includes('_bucket{call="mmap"'));
  expect(names).toHaveLength(16);
  const rising = names.map((name) => figures[name] as number);
  expect(rising).toEqual([...rising].sort((a, b) => a - b));
});

test('a file for each process; execve goes on with its process’ own', async () => {
  const script = '(exit 3); /bin/true; /bin/cat /nosuch; exec /bin/cat /nosuch /nosuch';
  const { file, files } = await measured('/bin/sh', ['-c', script]);
  const own = samples(file);
  expect(files).toHaveLength(4);
  expect(own['libcr_syscalls_total{call="execve",outcome="ok"}']).toBe(1);
  expect(own['libcr_syscalls_total{call="openat",outcome="ENOENT"}']).toBe(2);
  expect(own['libcr_syscalls_total{call="wait4",outcome="ok"}']).toBe(3);
  const children = files.filter((name) => name !== file).map(samples);
  const missing = children.map((child) => child['libcr_syscalls_total{call="openat",outcome="ENOENT"}'] ?? 0);
  expect(missing.sort()).toEqual([0, 0, 1]);
  for (const figures of [own, ...children]) {
    expect(figures['libcr_syscalls_total{call="exit_group",outcome="ok"}']).toBe(1);
    expect(figures).not.toHaveProperty('libcr_syscalls_total{call="fork",outcome="ok"}');
    for (const [name, value] of Object.entries(figures))
      if (name.includes('in_flight')) expect(value).toBe(0);
  }
});

test('of several threads on two rforks: lwps, switches, calls of each', async () => {
  const cwd = folder();
  const child = spawn(compile('traps/vectors'), [], { rforks: 2, metrics: 'file', cwd, stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  const figures = samples(join(cwd, 'file'));
  expect(figures).toMatchObject({
    libcr_lwps_total: 5,
    'libcr_syscalls_total{call="getppid",outcome="ok"}': 20_000,
    'libcr_syscall_duration_seconds_count{call="getppid"}': 20_000,
    'libcr_syscalls_total{call="exit",outcome="ok"}': 4,
  });
  expect(figures.libcr_switches_total).toBeGreaterThan(5);
});

test('names and buckets are the shim’s', async () => {
  const shim = metrics();
  const program = () => sys.read(sys.open('/dev/null'), Buffer.alloc(1));
  await run(() => create(program, { syscallPort: sys.with(shim) }).join());
  const text = readFileSync((await measured('/bin/true', [])).file, 'utf8');
  const heads = (of: string) => of.match(/^# .*$/gm) ?? [];
  const bounds = (of: string) => [...new Set(of.match(/le="[^"]+"/g))];
  expect(heads(shim.text())).toHaveLength(8);
  expect(heads(text).slice(0, 8)).toEqual(heads(shim.text()));
  expect(bounds(text)).toEqual(bounds(shim.text()));
});

test('a file that can’t be written; one that is no plain file is written to', async () => {
  expect(await underLibcr('true', [], { options: ['--metrics=/nosuch/file'] })).toMatchObject({
    status: 2,
    stderr: "libcr: /nosuch/file: it can't be written\n",
  });
  const script = '"$0" --metrics=/dev/stdout -- sh -c : | cat'; // a pipe: the descriptor itself is a socket here
  const { stdout } = await natively('sh', ['-c', script, launcherPath()]);
  expect(stdout).toContain('libcr_syscalls_total{call="exit_group",outcome="ok"} 1\n');
});
