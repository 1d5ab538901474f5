/** rows.mjs: src/generated/rows.ts: the table as data, for errors, shims, the ring, and what trace prints. */
import { sets } from '../constants.mjs';
import { errnos } from '../errno.mjs';
import { calls, kernelArguments, notice, number, refused, supported } from './table.mjs';

const union = (values) => [...new Set(values)].map((value) => `'${value}'`).join(' | ');

function rowText(row) {
  const args = kernelArguments(row).map(({ name, format, flags, native }) => {
    const fields = [`name: '${name}'`, `format: '${format}'`];
    if (flags) fields.push(`flags: '${flags}'`);
    if (/_OUT|ARG_FILE_HANDLE|ARG_LENGTH_POINTER/.test(native)) fields.push('out: true');
    return `{ ${fields.join(', ')} }`;
  });
  const fields = [
    `name: '${row.name}'`,
    `number: ${row.number}`,
    `level: '${row.level}'`,
    `block: '${row.block ?? 'never'}'`,
    ...(row.ring ? [`ring: '${row.ring}'`] : []),
    `args: [${args.join(', ')}]`,
  ];
  return `  { ${fields.join(', ')} },`;
}

function flagSet([name, { values, mask, enum: single }]) {
  const entries = Object.entries(values).map(([key, value]) => `['${key}', ${number(value)}]`);
  return `  ${name}: { mask: ${single ? -1 : (mask ?? 0)}, names: [${entries.join(', ')}] },`;
}

export function rowsFile() {
  const formats = [...new Set(supported.flatMap((row) => kernelArguments(row).map((a) => a.format)))];
  const reasons = refused.map(
    ({ name, reason, alternative }) =>
      `  ${name}: [${JSON.stringify(reason)}, ${JSON.stringify(alternative)}],`,
  );
  return `/** rows.ts: the table as data: for names in errors, shims' choices and what trace prints. ${notice} */

/** How an argument is shown. */
export type Format =
${formats.map((f) => `  | '${f}'`).join('\n')};

/** A kernel argument. */
export interface Argument {
  name: string;
  format: Format;
  flags?: string;
  /** The kernel fills it: it is not shown where the call fails. */
  out?: true;
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

export const rows: readonly Row[] = [
${calls.map(rowText).join('\n')}
];

/** Calls that are refused: why, and what to use instead. */
export const refusals: Readonly<Record<string, readonly [reason: string, alternative: string]>> = {
${reasons.join('\n')}
};

/** Sets of flags; mask: the bits that are one small number, -1 for all of them. */
export const flagSets: Readonly<Record<string, { mask: number; names: readonly (readonly [string, number])[] }>> = {
${Object.entries(sets).map(flagSet).join('\n')}
};

/** errno, name, text (strerror(3)). */
export const errnos: readonly (readonly [number, string, string])[] = [
${errnos.map(([name, value, text]) => `  [${value}, '${name}', "${text}"],`).join('\n')}
];
`;
}
