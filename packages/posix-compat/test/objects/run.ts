/**
 * run.ts: the programs here are run as core's tests run theirs. A program of conformance cases lists them, and each is a process of its own.
 */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { programPath as pathOfCore, type RunOptions, runProgram } from '../../../core/test/run.ts';

/** As core's runProgram() wants it. */
const nameOf = (name: string): string => `../../../posix-compat/test/programs/objects/${name}`;

/** Runs one case; it must end well, and write nothing but its outcome. */
export async function holds(program: string, name: string, options: RunOptions = {}): Promise<void> {
  const ran = await runProgram(nameOf(program), { ...options, args: [name, ...(options.args ?? [])] });
  expect(ran).toEqual({ status: 0, signal: null, stdout: 'holds\n', stderr: '' });
}

export function runHere(
  program: string,
  args: string[],
  options: RunOptions = {},
): ReturnType<typeof runProgram> {
  return runProgram(nameOf(program), { ...options, args });
}

/** One test for each case of programs/objects/NAME. */
export function conformance(program: string, options: RunOptions = {}): void {
  const list = execFileSync(process.execPath, [pathOfCore(nameOf(program)), '--list'], { encoding: 'utf8' });
  const names = JSON.parse(list) as string[];
  test(`${program} has cases`, () => expect(names.length).toBeGreaterThan(3));
  for (const name of names) test.concurrent(name, () => holds(program, name, options));
}
