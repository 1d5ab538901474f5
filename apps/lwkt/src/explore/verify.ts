/**
 * verify.ts: `lwkt explore --verify`: whether one seed is one run: each is run twice, and output, end and calls are compared.
 *
 * Invariant: what the kernel numbers (processes) is not compared; nor the order of what different processes do, which no seed says. Of one process all is.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOnce, type Subject } from './run.ts';

export interface Difference {
  seed: number;
  /** What stands there in the first run, and in the second. */
  first: string;
  second: string;
}

/** The numbers of processes: those that begin the lines of a trace, and that fork has answered, as one may be ended before its first call. */
function processesOf(lines: string[]): Set<string> {
  const numbers = new Set<string>();
  for (const line of lines) {
    for (const number of [/^\d+/.exec(line)?.[0], /\b(?:clone3?|v?fork)\(.* = (\d+)$/.exec(line)?.[1]])
      if (number !== undefined && Number(number) < 0x10000000) numbers.add(number);
  }
  return numbers;
}

function withoutNumbers(text: string, numbers: Set<string>): string {
  return text.replaceAll(/\b\d+\b/g, (number) => (numbers.has(number) ? 'PID' : number));
}

interface Run {
  trace: string[];
  output: string;
  end: string;
}

/** Lines that have to be the same. numbers: of the processes of both runs, as one of those may have another meaning in the other run. */
function comparable({ trace: lines, output, end }: Run, numbers: Set<string>): string[] {
  const plain = (some: string[]) =>
    withoutNumbers(some.join('\n'), numbers)
      .replaceAll(/^PID +/gm, 'PID ')
      .replaceAll(/ += /g, ' = '); // columns go by the numbers' lengths
  const shown = withoutNumbers(output, numbers).split('\n');
  return [end, ...shown, ...plain(lines).split('\n')];
}

async function runFor(subject: Subject, seed: number, strategy: string, base: string): Promise<Run> {
  const trace = `${base}.trace`;
  const { end, output } = await runOnce(subject, seed, strategy, { output: `${base}.out`, trace });
  return { trace: readFileSync(trace, 'utf8').split('\n'), output, end };
}

/** How two runs of this seed differ; undefined: in nothing. */
export async function verify(
  subject: Subject,
  seed: number,
  strategy: string,
  folder: string,
  worker: number,
): Promise<Difference | undefined> {
  const runs = [
    await runFor(subject, seed, strategy, join(folder, `${worker}-1`)),
    await runFor(subject, seed, strategy, join(folder, `${worker}-2`)),
  ];
  const numbers = new Set(runs.flatMap(({ trace }) => [...processesOf(trace)]));
  const [first, second] = runs.map((run) => comparable(run, numbers)) as [string[], string[]];
  const length = Math.max(first.length, second.length);
  for (let i = 0; i < length; i++)
    if (first[i] !== second[i])
      return { seed, first: first[i] ?? 'nothing more', second: second[i] ?? 'nothing more' };
  return undefined;
}
