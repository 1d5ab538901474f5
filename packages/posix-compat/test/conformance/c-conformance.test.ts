/**
 * c-conformance.test.ts: how threads behave by the text of POSIX and C11, one behaviour each (the *.c and *.cc in the rooms here): natively first, where each must hold, then under
 * libcr with one rfork, with two and with four. What does not hold there is in limits.ts, with its cause. docs/posix-conformance.md is written from the
 * results: `npx vitest run test/conformance/c-conformance.test.ts -u`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { has, natively, type Result, underLibcr } from '../programs.ts';
import { limits } from './limits.ts';
import { compileSource, folder, sources } from './sources.ts';

const RFORKS = [1, 2, 4] as const;
const WAYS = ['natively', ...RFORKS] as const;
type Way = (typeof WAYS)[number];
const SKIPPED = 77; // the program's own: this machine does not allow it
const table = fileURLToPath(new URL('../../../../docs/posix-conformance.md', import.meta.url));

interface Behaviour {
  name: string;
  sentence: string;
  program: string;
  results: Map<Way, boolean>;
}

interface Subject {
  source: string;
  about: string;
  behaviours: Behaviour[];
}

function compileSubject(source: string): Subject {
  const program = compileSource(source);
  const behaviours = execFileSync(program, { encoding: 'utf8' })
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [name, sentence] = line.split('\t') as [string, string];
      return { name, sentence, program, results: new Map() };
    });
  const header = readFileSync(join(folder, source), 'utf8');
  const about = /^\/\*\s+(?:\* )?\S+ - ([\s\S]+?)(?:[.:]\s| \*\/)/.exec(header)?.[1] ?? '';
  return { source, about: about.replace(/\s*\n \*\s*/g, ' '), behaviours };
}

const compilers = has('gcc') && has('g++');
const subjects = compilers ? sources.map(compileSubject) : [];

function run({ program, name }: Behaviour, way: Way): Promise<Result> {
  if (way === 'natively') return natively(program, [name]);
  const env: Record<string, string> = limits[name] ? { CONFORMANCE_HANGS: '3' } : {};
  return underLibcr(program, [name], { options: [`--rforks=${way}`], env });
}

const passed = { status: 0, signal: null, stdout: 'pass\n', stderr: '' };
let incomplete = !compilers;

describe.skipIf(!compilers).each(subjects)('$source', ({ behaviours }) => {
  test.concurrent.for(behaviours)('$name', async (behaviour, { skip }) => {
    const native = await run(behaviour, 'natively');
    if (native.status === SKIPPED) {
      incomplete = true;
      skip(native.stdout);
    }
    expect(native, 'natively').toEqual(passed);
    behaviour.results.set('natively', true);
    for (const way of RFORKS) {
      const result = await run(behaviour, way);
      behaviour.results.set(way, result.status === 0);
      if (limits[behaviour.name])
        expect(result, `${way} rforks: it holds now, and is no limit any more`).not.toEqual(passed);
      else expect(result, `${way} rforks`).toEqual(passed);
    }
  });
});

function row(cells: (string | number)[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

const column = (way: number) => `${way} rfork${way === 1 ? '' : 's'}`;

function written(): string {
  const holds = (behaviours: Behaviour[], way: Way) =>
    behaviours.filter((each) => each.results.get(way)).length;
  const all = subjects.flatMap(({ behaviours }) => behaviours);
  const mark = (behaviour: Behaviour, way: Way) => (behaviour.results.get(way) ? 'yes' : '**no**');
  let text = `# Threads under libcr: what of POSIX and C11 holds

Written from the results of \`packages/posix-compat/test/conformance/c-conformance.test.ts\`: each behaviour is a sentence of POSIX.1-2017 or C11 (where those have none, of glibc's manual or of C++20) and
a small program. It runs natively, where it must hold, then under libcr with one rfork, with two and with four. One C library: glibc.

`;
  text +=
    row(['subject', 'behaviours', 'natively', ...RFORKS.map(column)]) +
    row(['---', '---:', '---:', ...RFORKS.map(() => '---:')]);
  for (const { about, behaviours } of subjects)
    text += row([about, behaviours.length, ...WAYS.map((way) => holds(behaviours, way))]);
  text += row(['all', all.length, ...WAYS.map((way) => holds(all, way))]);
  text += '\n## What does not hold, and why\n\n';
  for (const cause of new Set(Object.values(limits))) {
    const names = all.filter((each) => limits[each.name] === cause).map((each) => `\`${each.name}\``);
    text += `- ${names.join(', ')}: ${cause}.\n`;
  }
  text += '\n## Each behaviour\n';
  for (const { source, about, behaviours } of subjects) {
    text += `\n### ${source}: ${about}\n\n`;
    text += row(['behaviour', 'in words', ...RFORKS.map(column)]);
    text += row(['---', '---', ...RFORKS.map(() => '---')]);
    for (const behaviour of behaviours)
      text += row([
        `\`${behaviour.name}\``,
        behaviour.sentence,
        ...RFORKS.map((way) => mark(behaviour, way)),
      ]);
  }
  return text;
}

test.skipIf(!compilers)('each limit is a behaviour', () => {
  const names = subjects.flatMap(({ behaviours }) => behaviours.map(({ name }) => name));
  expect(names).toEqual([...new Set(names)]);
  expect(names).toEqual(expect.arrayContaining(Object.keys(limits)));
});

test('the table in the docs is what has come out', async (context) => {
  if (incomplete) context.skip('some behaviours could not be tried here');
  await expect(written()).toMatchFileSnapshot(table);
});
