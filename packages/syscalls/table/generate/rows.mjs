/**
 * rows.mjs: src/generated/rows.ts and flag-sets.ts: the table as data, for errors, shims, the ring, and what trace prints. The rows are a text, as whatever imports
 * @libcr/syscalls has them, and hardly anybody looks at their arguments: a literal would be compiled each time.
 */
import { sets } from '../constants.mjs';
import { errnos } from '../errno.mjs';
import { families } from '../families.mjs';
import { traced, tracedSets } from '../traced.mjs';
import { calls, kernelArguments, notice, number, refused, supported } from './table.mjs';

/** Where memory's length is said, by the kind of the argument after it. */
const BY_NEXT = { ARG_LENGTH: 'next', ARG_COUNT: 'next', ARG_BITS: 'bits', ARG_LENGTH_POINTER: 'pointer' };

/** ARG_COUNT(8): its name, and what is in parentheses. */
function split(native) {
  const [, kind, size] = /^(\w+?)(?:\((\d+)\))?$/.exec(native);
  return { kind: kind.replace(/_NULLABLE$/, ''), size: size === undefined ? undefined : Number(size) };
}

/** What interface Memory says of an argument; undefined for one that points at nothing, and for paths. */
export function memoryOf(all, i) {
  const { kind, size } = split(all[i].native);
  const way = /INOUT/.test(kind) ? 'inout' : /OUT/.test(kind) ? 'out' : 'in';
  switch (kind) {
    case 'ARG_OUT':
    case 'ARG_IN':
    case 'ARG_INOUT': {
      const next = split(all[i + 1]?.native ?? 'ARG_NULL');
      const by = BY_NEXT[next.kind] ?? 'all';
      const unit = next.kind === 'ARG_COUNT' ? next.size : undefined;
      return { way, by, unit, head: next.kind === 'ARG_LENGTH' ? next.size : undefined };
    }
    case 'ARG_STRUCT_OUT':
    case 'ARG_STRUCT_IN':
    case 'ARG_STRUCT_INOUT':
      return { way, by: 'unit', unit: size };
    case 'ARG_LENGTH_POINTER':
      return { way: 'inout', by: 'unit', unit: 4 };
    case 'ARG_IN_COUNTED':
    case 'ARG_OUT_COUNTED':
      return { way, by: 'before', unit: size === 1 ? undefined : size };
    case 'ARG_PAGES_OUT':
      return { way, by: 'pages' };
    case 'ARG_SIZED':
      return { way, by: 'sized', head: size };
    case 'ARG_FILE_HANDLE':
      return { way: 'inout', by: 'handle' };
    case 'ARG_FCNTL':
    case 'ARG_IOCTL':
    case 'ARG_COMMAND':
      return { way: 'inout', by: 'all' };
    case 'ARG_IOV_IN':
    case 'ARG_IOV_OUT':
      return { way, by: 'buffers' };
    case 'ARG_MESSAGE_IN':
    case 'ARG_MESSAGE_OUT':
      return { way, by: 'message' };
    case 'ARG_MESSAGES_IN':
    case 'ARG_MESSAGES_OUT':
      return { way, by: 'messages' };
    default:
      return undefined;
  }
}

/** Kinds of numbers that have 64 bits. */
const WIDE = new Set(['ARG_LONG', 'ARG_LENGTH', 'ARG_COUNT', 'ARG_BITS', 'ARG_IOV_COUNT']);

/** An argument as interface Argument has it; JSON leaves out what is undefined. */
function argumentOf({ name, format, flags, native, whole }, i, all) {
  const memory = memoryOf(all, i);
  return {
    name,
    format,
    flags: flags || undefined,
    out: /_OUT|ARG_FILE_HANDLE|ARG_LENGTH_POINTER/.test(native) || undefined,
    wide: WIDE.has(split(native).kind) || undefined,
    memory: memory && { ...memory, whole: whole || undefined },
  };
}

/** Those of programs' calls, too. */
const allSets = { ...sets, ...tracedSets };

const union = (values) => [...new Set(values)].map((value) => `'${value}'`).join(' | ');

/** How an argument of a program's call is shown, that JavaScript is refused: numbers mostly, as the memory that they point at is not looked at. */
const FORMATS = { path: 'path', fd: 'fd', signal: 'signal', int: 'int', size: 'int', long: 'int' };
const NARROW = ['path', 'fd', 'signal', 'int'];

/** The arguments of a call that only programs make: traced.mjs'. */
function programArguments(text) {
  if (!text) return [];
  const taken = new Set();
  return text.split(', ').map((each) => {
    const [format, set] = each.replace('!', '').split(':');
    const known = set !== undefined && set in allSets;
    const base = format === 'flags' ? (known ? 'flags' : set) : format;
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}${n}`;
    taken.add(name);
    if (known) return { name, format: 'flags', flags: set };
    const number = format === 'hex' || format === 'flags' ? 'hex' : 'address';
    return { name, format: FORMATS[format] ?? number, wide: NARROW.includes(format) ? undefined : true };
  });
}

/** A line of what src/port/row-text.ts reads. */
function rowText(row) {
  const block = row.level === 'refused' ? 'never' : (row.block ?? 'never');
  const own =
    row.level === 'refused' ? programArguments(traced[row.name]) : kernelArguments(row).map(argumentOf);
  const args = JSON.stringify(own);
  return [row.name, row.number, row.level, block, row.ring ?? '-', args].join(' ');
}

function flagSet([name, { values, mask, enum: single }]) {
  const entries = Object.entries(values).map(([key, value]) => `['${key}', ${number(value)}]`);
  return `  ${name}: { mask: ${single ? -1 : (mask ?? 0)}, names: [${entries.join(', ')}] },`;
}

export function rowsFile() {
  const formats = [
    ...new Set(supported.flatMap((row) => kernelArguments(row).map((a) => a.format))),
    'address',
    'hex',
  ];
  const reasons = refused.map(
    ({ name, reason, alternative }) =>
      `  ${name}: [${JSON.stringify(reason)}, ${JSON.stringify(alternative)}],`,
  );
  return `/** rows.ts: the table as data: for names in errors, shims' choices and what trace prints. ${notice} */
import { readRows } from '../port/row-text.ts';

/** How an argument is shown. address, hex: numbers that only programs have a use for. */
export type Format =
${formats.map((f) => `  | '${f}'`).join('\n')};

/** Memory that an argument points at. */
export interface Memory {
  /** Who writes it: the program, the kernel, or both. */
  way: 'in' | 'out' | 'inout';
  /**
   * How many bytes of it count. next: the next argument times unit, and head; bits: as many bits as the next argument; pointer: the
   * number that the next argument points at; before: the argument before times unit; unit: that many; pages: one for each page of the
   * argument before; sized: its own word at head; handle: eight, and its first word; all: the whole buffer. buffers, message and messages
   * are arrays.
   */
  by: 'next' | 'bits' | 'pointer' | 'before' | 'unit' | 'pages' | 'sized' | 'handle' | 'all' | 'buffers' | 'message' | 'messages';
  unit?: number;
  head?: number;
  /** Written as far as it goes, whatever the reply; absent with next and before: the reply says how much is written. */
  whole?: true;
}

/** A kernel argument. */
export interface Argument {
  name: string;
  format: Format;
  flags?: string;
  /** The kernel fills it: it is not shown where the call fails. */
  out?: true;
  /** A number of 64 bits; absent: 32, or memory. */
  wide?: true;
  memory?: Memory;
}

/** A system call. */
export interface Row {
  name: CallName;
  number: number;
  /** How far it goes here: docs/syscalls.md. */
  level: 'full' | 'raw' | 'refused' | 'obsolete';
  block: ${union(supported.map((row) => row.block))};
  /** Which operation of io_uring does the same. */
  ring?: string;
  args: readonly Argument[];
}

/** The names of the calls. */
export type CallName =
${calls.map((row) => `  | '${row.name}'`).join('\n')};

export const rows: readonly Row[] = readRows(\`
${calls.map(rowText).join('\n')}
\`);

/** Calls that do the same thing to the same objects (table/families.mjs): a shim that asks for one gets the others, too. */
export const families: readonly (readonly CallName[])[] = [
${families.map((family) => `  [${family.map((name) => `'${name}'`).join(', ')}],`).join('\n')}
];

/** Calls that are refused: why, and what to use instead. */
export const refusals: Readonly<Record<string, readonly [reason: string, alternative: string]>> = {
${reasons.join('\n')}
};

/** errno, name, text (strerror(3)). */
export const errnos: readonly (readonly [number, string, string])[] = [
${errnos.map(([name, value, text]) => `  [${value}, '${name}', "${text}"],`).join('\n')}
];
`;
}

export function flagSetsFile() {
  return `/** flag-sets.ts: names of flags, for what trace prints. ${notice} */

/** Sets of flags; mask: the bits that are one small number, -1 for all of them. */
export const flagSets: Readonly<Record<string, { mask: number; names: readonly (readonly [string, number])[] }>> = {
${Object.entries(allSets).map(flagSet).join('\n')}
};
`;
}
