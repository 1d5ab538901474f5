/**
 * program.mjs: native/src/table/generated/names.h with the names of all calls and errors, native/program/generated/arguments.h with what each call's arguments are and the names of their
 * flags, for what runs inside a program (print/ there).
 */
import { sets } from '../constants.mjs';
import { errnos } from '../errno.mjs';
import { families } from '../families.mjs';
import { lastNames, moreNames, traced, tracedSets } from '../traced.mjs';
import { calls, kernelArguments, notice, number } from './table.mjs';

const allSets = { ...sets, ...tracedSets };

/** How wide an int is. */
const WIDTHS = { ARG_LONG: 'long', ARG_LENGTH: 'size', ARG_CHOICE: 'int' };

function ofTable({ native, format, flags }) {
  const [kind] = /^\w+?(?=_NULLABLE|\(|$)/.exec(native);
  const out =
    /(?<!IN)OUT|ARG_FILE_HANDLE/.test(native) && kind !== 'ARG_STRUCT_INOUT' && kind !== 'ARG_INOUT';
  if (kind === 'ARG_FD') return { format: 'fd' };
  if (kind === 'ARG_NULL') return { format: 'address' };
  if (kind === 'ARG_LENGTH_POINTER') return { format: 'lengthOut', out: true };
  if (format === 'int') return { format: WIDTHS[kind] ?? 'int' };
  if (format === 'flags' && flags === undefined) return { format: 'hex' };
  return { format, set: flags, out };
}

function ofText(text) {
  const [, format, set, out] = /^(\w+)(?::(\w+))?(!?)$/.exec(text);
  return { format, set, out: out === '!' };
}

function argumentsOf(row) {
  const text = traced[row.name];
  if (text !== undefined) return text === '' ? [] : text.split(', ').map(ofText);
  return row.args === undefined ? undefined : kernelArguments(row).map(ofTable);
}

const NO_ARGUMENTS_KNOWN = Array.from({ length: 6 }, () => ({ format: 'hex' }));
const rows = calls.map((row) => ({ ...row, shown: argumentsOf(row) ?? NO_ARGUMENTS_KNOWN }));
const formats = [...new Set(['none', ...rows.flatMap(({ shown }) => shown.map(({ format }) => format))])];

/** FORMAT_DATA_OUT */
const constant = (prefix, name) =>
  `${prefix}_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

function argumentText({ format, set, out }) {
  const fields = [constant('FORMAT', format)];
  if (set || out) fields.push(set ? constant('SET', set) : '0');
  if (out) fields.push('1');
  return `{${fields.join(', ')}}`;
}

function setText([name, { values, mask, enum: single, unknown }]) {
  const names = Object.entries({ ...values, ...moreNames[name] });
  const place = ([key]) => lastNames.indexOf(key) + 1;
  const ordered = names.map((entry, i) => [entry, i]).sort(([a, i], [b, j]) => place(a) - place(b) || i - j);
  const entries = ordered.map(([[key, value]]) => `{"${key}", ${number(value >>> 0)}}`);
  const prefix = unknown ?? `${names[0][0].slice(0, names[0][0].lastIndexOf('_'))}_???`;
  const known = `static const struct flag_name flags_of_${name}[] = {${entries.join(', ')}};`;
  const row = `\t[${constant('SET', name)}] = {flags_of_${name}, ${entries.length}, ${single ? '~0u' : (mask ?? 0)}, "${prefix}"},`;
  return { known, row };
}

/** What a reply counts, by how a call waits; and calls of these classes that count something else. */
const MOVES = { read: 1, recv: 1, recvmsg: 1, write: 2, send: 2, sendmsg: 2 };
const MESSAGES = ['recvmmsg', 'sendmmsg'];

/** What io_submit does. (io_submit(2)) */
const AIO = new Set(['pread64', 'pwrite64', 'preadv', 'pwritev', 'fsync', 'fdatasync', 'poll']);

export function namesHeader() {
  const names = calls.map((row) => `\t[${row.number}] = "${row.name}",`);
  const numbers = Object.fromEntries(calls.map((row) => [row.name, row.number]));
  const members = families.map(
    (family, i) => `\t${family.map((name) => `[${numbers[name]}] = ${i + 1},`).join(' ')}`,
  );
  const moving = calls
    .filter(({ name, block }) => MOVES[block] && !MESSAGES.includes(name))
    .map((row) => `\t[${row.number}] = ${MOVES[row.block]},`);
  const asynchronous = calls
    .map(({ name, number: at, ring }) => [at, (ring ? 1 : 0) | (AIO.has(name) ? 2 : 0)])
    .filter(([, kinds]) => kinds)
    .map(([at, kinds]) => `\t[${at}] = ${kinds},`);
  const errors = errnos.map(([name, value, text]) => `\t[${value}] = {"${name}", "${text}"},`);
  return `/* names.h - names of system calls and of errors. ${notice} */
static const char *const call_names[] __attribute__((unused)) = {
${names.join('\n')}
};

/* Calls that stand for one another have the same number; 0: none does. */
static const unsigned char call_families[] __attribute__((unused)) = {
${members.join('\n')}
};

/* What a call's result counts: 1 bytes read, 2 bytes written; 0: something else. */
static const unsigned char call_moves[] __attribute__((unused)) = {
${moving.join('\n')}
};

/* What can make the call for a program, without it: 1 an io_uring, 2 io_submit. */
static const unsigned char call_asynchronous[] __attribute__((unused)) = {
${asynchronous.join('\n')}
};

static const struct {
	const char *name, *text;
} error_names[] __attribute__((unused)) = {
${errors.join('\n')}
};
`;
}

export function argumentsHeader() {
  const shown = rows.map(
    ({ number: at, shown }) =>
      `\t[${at}] = {${shown.length}, {${shown.map(argumentText).join(', ') || '{0}'}}},`,
  );
  const texts = Object.entries(allSets).map(setText);
  return `/* arguments.h - what system calls' arguments are, and the names of flags. ${notice} */
enum argument_format {
${formats.map((format) => `\t${constant('FORMAT', format)},`).join('\n')}
};

enum flag_set {
${Object.keys(allSets)
  .map((name) => `\t${constant('SET', name)},`)
  .join('\n')}
};

#ifdef WITH_CALL_ARGUMENTS
static const struct call_arguments call_arguments[] = {
${shown.join('\n')}
};
#endif

#ifdef WITH_FLAG_NAMES
${texts.map(({ known }) => known).join('\n')}

static const struct flag_names flag_names[] = {
${texts.map(({ row }) => row).join('\n')}
};
#endif
`;
}

/** Which arguments are descriptors, of calls whose arguments are not in the table. */
const moreDescriptors = { io_uring_enter: [0], io_uring_register: [0] };

export function descriptorsHeader() {
  const bits = rows.map(({ name, number: at, shown }) => {
    const places = moreDescriptors[name] ?? shown.flatMap(({ format }, i) => (format === 'fd' ? [i] : []));
    return [at, places.reduce((all, i) => all | (1 << i), 0)];
  });
  const lines = bits.filter(([, value]) => value).map(([at, value]) => `\t[${at}] = ${value},`);
  return `/* descriptors.h - which arguments of system calls are descriptors, as bits. ${notice} */
static const unsigned char descriptor_arguments[] = {
${lines.join('\n')}
};
`;
}
