/**
 * script-table.test.ts: each call of the table comes to a supervisor with what its arguments point to, whole, and the supervisor's answer goes to exactly that memory: as
 * far as the reply says where the reply counts it. What is expected is taken from the rows that JavaScript's shims have; where a program's call has something else, it
 * stands in `otherwise`. Nothing is made: the supervisor answers by itself.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Argument, type Row, rows } from '../../../syscalls/src/generated/rows.ts';
import { compile, scratch } from '../programs.ts';
import { underSupervisor } from './scripted.ts';

const [NUMBER, PATH, BUFFER, BUFFERS, MESSAGE] = [0, 1, 2, 3, 4];
const ANSWER = 3;
const COUNT = 24; // of whatever is counted

/** null: nobody stages it. */
const otherwise: Record<string, number | null> = {
  // named, but neither read nor written
  'mincore:0': null,
  'mlock:0': null,
  'munlock:0': null,
  'mlock2:0': null,
  // by the number of descriptors
  ...Object.fromEntries(['select', 'pselect6'].flatMap((name) => [1, 2, 3].map((i) => [`${name}:${i}`, 8]))),
  // an int
  'name_to_handle_at:3': 4,
  // of another size for some
  'landlock_add_rule:2': null,
  // of a size that nothing says
  'prctl:1': null,
  'semctl:3': null,
  // text, or not
  'mount:4': null,
  'fsconfig:3': null,
};
/** What is left of a time goes back there. */
const written = ['select:4', 'pselect6:4', 'ppoll:2'];

interface Piece {
  /** As programs/script/table.c has it. */
  word: string;
  kind?: number;
  /** Bytes; of several pieces, of each. */
  lengths: number[];
  /** Which of the program's pieces of memory is the first, and a number in it. */
  piece?: number;
  mark?: [place: number, value: number] | undefined;
  out?: boolean | undefined;
  counted?: boolean | undefined;
  unit?: number;
  head?: number;
}

const numberOf = (row: Row, i: number): string => {
  const before = row.args[i - 1];
  const after = row.args[i + 1];
  if (row.name === 'ioctl' && i === 1) return 'n0x80045430'; // TIOCGPTN: four bytes, out
  if (row.name === 'fcntl' && i === 1) return 'n5'; // F_GETLK
  if (/^p?select6?$/.test(row.name) && i === 0) return 'n64';
  if (before?.memory?.by === 'bits') return 'n65';
  if (after?.memory?.by === 'pages') return 'n8192';
  if (before?.memory?.by === 'buffers') return 'n2';
  return `n${COUNT}`;
};

function pieceOf(row: Row, i: number): Piece {
  const argument = row.args[i] as Argument;
  const { memory, format } = argument;
  if (format === 'path') return { word: `p/path/${i}`, kind: PATH, lengths: [`/path/${i}`.length] };
  const fixed = otherwise[`${row.name}:${i}`];
  if (!memory || fixed === null || memory.by === 'messages') return { word: numberOf(row, i), lengths: [] };
  const { unit = 1, head = 0, way, by, whole } = memory;
  const out = way !== 'in' || written.includes(`${row.name}:${i}`) || by === 'sized';
  const counted = way === 'out' && (by === 'next' || by === 'before') && !whole;
  const pointed = row.args[i - 1]?.memory?.by === 'pointer';
  if (by === 'buffers') return { word: 'v5,9', kind: BUFFERS, lengths: [5, 9], out };
  if (by === 'message') return { word: 'M', kind: MESSAGE, lengths: [16, 32, 5, 9], out };
  const length =
    fixed ??
    {
      next: COUNT * unit + head,
      before: COUNT * unit,
      unit,
      bits: 8,
      pointer: COUNT,
      pages: 2,
      sized: 48,
      handle: 24,
      all: row.name === 'ioctl' ? 4 : 32,
    }[by];
  const mark: [number, number] | undefined = pointed
    ? [0, COUNT]
    : by === 'sized'
      ? [head, 48]
      : by === 'handle'
        ? [0, 16]
        : undefined;
  const word = `m${length}${mark ? `@${mark[0]}=${mark[1]}` : ''}`;
  return { word, kind: BUFFER, lengths: [length], mark, out, counted, unit, head };
}

/** The bytes that table.c has there, as supervisor.c sums them up. */
function sumOf({ kind, lengths, piece = 0, mark, word }: Piece): number {
  let sum = 0;
  const add = (byte: number) => {
    sum = (Math.imul(sum, 31) + byte) >>> 0;
  };
  if (kind === PATH) for (const byte of Buffer.from(word.slice(1))) add(byte);
  else
    for (const [n, length] of lengths.entries()) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => ((piece + n) * 37 + i * 7 + 1) % 200));
      if (mark) bytes.writeInt32LE(mark[1], mark[0]);
      for (const byte of bytes) add(byte);
    }
  return sum;
}

/** How many bytes of each piece are filled by the answer. */
function filled({ kind, lengths, out, counted, unit = 1, head = 0 }: Piece): number[] {
  if (!out) return lengths.map(() => 0);
  if (kind === BUFFERS) return [ANSWER, 0];
  if (kind === MESSAGE) return [16, 32, ANSWER, 0];
  return lengths.map((length) => (counted ? Math.min(ANSWER * unit + head, length) : length));
}

const calls = rows
  .filter(({ args }) => args.some(({ memory, format }) => memory || format === 'path'))
  .map((row) => {
    let next = 0;
    const pieces = row.args.map((_, i) => {
      const piece = { ...pieceOf(row, i), piece: next };
      if (piece.kind !== PATH) next += piece.lengths.length;
      return piece;
    });
    return { row, pieces };
  });

describe('each call with memory', async () => {
  const file = join(scratch, 'table.calls');
  const log = join(scratch, 'table.log');
  writeFileSync(
    file,
    calls.map(({ row, pieces }) => `${[row.number, ...pieces.map(({ word }) => word)].join(' ')}\n`).join(''),
  );
  const { stdout, report } = await underSupervisor(['call', `table=${log}`], compile('script/table'), [file]);
  const answers = new Map(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => [Number.parseInt(line, 10), line]),
  );
  const staged = new Map(
    readFileSync(log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => {
        const { number, args } = JSON.parse(line) as {
          number: number;
          args: { kind: number; flags: number; length: number; sum: number }[];
        };
        return [number, args];
      }),
  );

  test('all of them have been made', () => {
    expect(answers.size).toBe(calls.length);
    expect(calls.length).toBeGreaterThan(170);
    expect(report.used).toBe(0);
  });

  test.each(calls.map((call) => [call.row.name, call] as const))('%s', (_, { row, pieces }) => {
    const args = staged.get(row.number);
    for (const [i, piece] of pieces.entries()) {
      const { kind = NUMBER, lengths, counted } = piece;
      if (row.args[i]?.format === 'text') continue; // a number, here
      expect(args?.[i]?.kind, `kind of argument ${i}`).toBe(kind);
      if (kind === NUMBER) continue;
      if (kind === PATH || kind === BUFFER)
        expect(args?.[i]?.length, `length of argument ${i}`).toBe(lengths[0]);
      const read = !counted && !(piece.out && (kind === BUFFERS || kind === MESSAGE));
      if (read) expect(args?.[i]?.sum, `bytes of argument ${i}`).toBe(sumOf(piece));
    }
    const places = pieces.flatMap((piece) => (piece.kind === PATH ? [] : filled(piece)));
    expect(answers.get(row.number)).toBe(`${row.number} ${ANSWER}:${places.map((n) => ` ${n}`).join('')}`);
  });
});
