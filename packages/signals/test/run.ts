/**
 * run.ts: the programs here are run as core's tests run theirs. A program of conformance cases lists them, and each is a process of its own: what goes wrong with
 * signals ends it.
 */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { programPath as pathOfCore, type RunOptions, runProgram } from '../../core/test/run.ts';

/** As core's runProgram() wants it. */
const nameOf = (name: string): string => `../../../signals/test/programs/${name}`;

export function runHere(
  program: string,
  args: string[] = [],
  options: RunOptions = {},
): ReturnType<typeof runProgram> {
  return runProgram(nameOf(program), { ...options, args });
}

/** Runs one case; it must end well, and write nothing but its outcome. */
export async function holds(program: string, name: string, options: RunOptions = {}): Promise<void> {
  const ran = await runHere(program, [name, ...(options.args ?? [])], options);
  expect(ran).toEqual({ status: 0, signal: null, stdout: 'holds\n', stderr: '' });
}

/** Whether each case has held, by its name; undefined: it has not been run. */
export type Results = Map<string, boolean | undefined>;

/** One test for each case of programs/NAME. Notes what has held; in results, if that is the same cases' before, what has held each time. */
export function conformance(
  program: string,
  options: RunOptions = {},
  results: Results = new Map(),
): Results {
  const list = execFileSync(process.execPath, [pathOfCore(nameOf(program)), '--list'], { encoding: 'utf8' });
  const names = JSON.parse(list) as string[];
  test(`${program} has cases`, () => expect(names.length).toBeGreaterThan(3));
  for (const name of names) {
    results.set(name, results.get(name));
    test.concurrent(name, async () => {
      const before = results.get(name);
      results.set(name, false);
      await holds(program, name, options);
      results.set(name, before ?? true);
    });
  }
  return results;
}
