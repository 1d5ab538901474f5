/**
 * runtimes.test.ts: what stops its threads by signals holds with one rfork and two: Go's preemption (SIGURG) and the JVM's safepoints (pages that fault), while
 * garbage is collected all the time; as it is, and disturbed (native/inject). Without what they test, programs/soak/go and java would not go on: a loop without a call
 * waits there for who only runs when it's interrupted. LIBCR_SOAK_SECONDS=600 for a longer one, LIBCR_SOAK_SEED for the same choices, as in soak.test.ts.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { disturbing, has, type Result, scratch, underLibcr } from '../programs.ts';

const SECONDS = Number(process.env.LIBCR_SOAK_SECONDS ?? 10);
const SEED = process.env.LIBCR_SOAK_SEED ?? String(Date.now() % 1_000_000);
const timeout = SECONDS * 1000 + 300_000; // it ends itself before if somebody does not go on

const sources = (room: string): string[] => {
  const folder = fileURLToPath(new URL(`../programs/${room}`, import.meta.url));
  return readdirSync(folder).map((name) => join(folder, name));
};
/** The command, made once. */
const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
const goroutines = once(() => {
  const program = join(scratch, 'soak-go');
  const env = { ...process.env, CGO_ENABLED: '0' }; // its own system calls, in a static program
  execFileSync('go', ['build', '-o', program, ...sources('soak/go')], { env });
  return program;
});
const classes = once(() => {
  const folder = join(scratch, 'soak-java');
  execFileSync('javac', ['-XDignore.symbol.file', '-d', folder, ...sources('soak/java')]);
  return folder;
});

function holds({ status, signal, stdout, stderr }: Result, outcome: RegExp): void {
  expect({ status, signal }, `${stdout.slice(-10_000)}${stderr.slice(-50_000)}`).toEqual({
    status: 0,
    signal: null,
  });
  expect(stdout).toMatch(outcome);
}

describe.each([
  { rforks: 1, collector: 'Serial', launcher: launcherPath, how: 'as it is' },
  { rforks: 1, collector: 'G1', launcher: disturbing, how: 'disturbed' },
  { rforks: 2, collector: 'Parallel', launcher: launcherPath, how: 'as it is' },
  { rforks: 2, collector: 'G1', launcher: disturbing, how: 'disturbed' },
])(`seed ${SEED}, $rforks rforks, $how`, ({ rforks, collector, launcher }) => {
  const args = [String(SECONDS), SEED];
  const run = (program: string, before: string[] = []): Promise<Result> =>
    underLibcr(program, [...before, ...args], {
      options: [`--rforks=${rforks}`],
      timeout,
      launcher: launcher(),
      env: { LIBCR_INJECT: SEED },
    });

  test.concurrent(`goroutines for ${SECONDS} s`, { timeout }, async ({ skip }) => {
    if (!has('go')) skip('not installed: go');
    const result = await run(goroutines());
    holds(result, /^held: [1-9]\d* collections, [1-9]\d* preempted, [1-9]\d* faults, [1-9]\d* signals$/m);
  });

  test.concurrent(`the JVM with ${collector}GC for ${SECONDS} s`, { timeout }, async ({ skip }) => {
    const missing = ['java', 'javac'].filter((name) => !has(name));
    if (missing.length) skip(`not installed: ${missing.join(', ')}`);
    const flags = [
      '-Xmx256m',
      `-XX:+Use${collector}GC`,
      '-XX:+UnlockDiagnosticVMOptions',
      '-XX:GuaranteedSafepointInterval=10',
    ];
    const result = await run('java', [...flags, '-cp', classes(), 'Soak']);
    holds(result, /^held: [1-9]\d* collections, [1-9]\d* stopped, [1-9]\d* faults, [1-9]\d* signals$/m);
  });
});
