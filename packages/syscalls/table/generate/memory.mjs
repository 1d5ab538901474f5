/**
 * memory.mjs: native/program/generated/memory.h: what the arguments of each call point to, for what brings it to shims in another process (native/program/script). It is
 * what rows.mjs says of them, and where a program's call has something else than the library's function: `programs`.
 */
import { kinds } from '../kinds.mjs';
import { commands, requests } from '../requests.mjs';
import { traced } from '../traced.mjs';
import { memoryOf } from './rows.mjs';
import { calls, kernelArguments, notice, number } from './table.mjs';

const NUMBER = undefined;

/** By call and argument: the kernel's own view, from the manual pages. */
const programs = {
  time: { 0: { way: 'out', by: 'unit', unit: 8 } },
  /* What is left of the time, if a signal ends it. */
  nanosleep: { 0: { way: 'in', by: 'unit', unit: 16 }, 1: { way: 'out', by: 'unit', unit: 16 } },
  clock_nanosleep: { 2: { way: 'in', by: 'unit', unit: 16 }, 3: { way: 'out', by: 'unit', unit: 16 } },
  rt_sigtimedwait: {
    0: { way: 'in', by: 'unit', unit: 8 },
    1: { way: 'out', by: 'unit', unit: 128 },
    2: { way: 'in', by: 'unit', unit: 16 },
  },
  get_robust_list: { 1: { way: 'out', by: 'unit', unit: 8 }, 2: { way: 'out', by: 'unit', unit: 8 } },
  /* What is left of the time goes back there. */
  select: { 4: { way: 'inout', by: 'unit', unit: 16 } },
  pselect6: { 4: { way: 'inout', by: 'unit', unit: 16 } },
  ppoll: { 2: { way: 'inout', by: 'unit', unit: 16 } },
  /* A later kernel's is longer. */
  openat2: { 2: { way: 'in', by: 'next' } },
  /* An int, unless flags say otherwise. */
  name_to_handle_at: { 3: { way: 'out', by: 'unit', unit: 4 } },
  /* No text, of some file systems; and a blob, of some commands. */
  mount: { 4: NUMBER },
  fsconfig: { 3: NUMBER },
  /* Of another size for some rules. */
  landlock_add_rule: { 2: NUMBER },
};

/** Places of the kinds `fdSets` (as many bits as the first argument) and `memory` (named, but neither read nor written). */
function special(row) {
  const places = {};
  let at = 0;
  for (const [, kind] of row.args ?? []) {
    if (kind === 'fdSets') for (const i of [1, 2, 3]) places[at + i] = { way: 'inout', by: 'descriptors' };
    if (kind === 'memory') places[at] = NUMBER;
    at += kinds[kind].native.length;
  }
  return { ...places, ...programs[row.name] };
}

function memoryOfTable(row) {
  const all = kernelArguments(row);
  const changed = special(row);
  return all.map((argument, i) => {
    if (i in changed) return changed[i];
    if (argument.native.startsWith('ARG_PATH')) return { way: 'in', by: 'path' };
    const memory = memoryOf(all, i);
    /* The kernel says its own size there, where it does not know that of the program. */
    const way = memory?.by === 'sized' ? 'inout' : memory?.way;
    return memory && { ...memory, way, whole: argument.whole, data: argument.format === 'dataIn' };
  });
}

/** Of calls that the table has no arguments of. */
function memoryOfText({ name }) {
  if (!traced[name]) return [];
  const path = (format) => (format === 'path' ? { way: 'in', by: 'path' } : NUMBER);
  return traced[name].split(', ').map((format, i) => programs[name]?.[i] ?? path(format));
}

const memory = (row) => (row.args === undefined ? memoryOfText(row) : memoryOfTable(row));
const rows = calls.map((row) => [row, memory(row)]).filter(([, all]) => all.some(Boolean));
const manners = [...new Set(rows.flatMap(([, all]) => all.flatMap((one) => one?.by ?? [])))];
const WAYS = { in: 'MEMORY_IN', out: 'MEMORY_OUT', inout: 'MEMORY_IN | MEMORY_OUT' };

function argumentText(one) {
  if (!one) return '{0}';
  const counted = one.way === 'out' && ['next', 'before'].includes(one.by) && !one.whole;
  const ways = [WAYS[one.way], ...(counted ? ['MEMORY_REPLY'] : []), ...(one.data ? ['MEMORY_DATA'] : [])];
  return `{BY_${one.by.toUpperCase()}, ${ways.join(' | ')}, ${one.unit ?? 1}, ${one.head ?? 0}}`;
}

/** What a request's argument points to, of calls that have requests: their number, the request and its bytes. Those whose argument is no struct are not there. */
const requestLines = Object.entries({ ioctl: requests, ...commands }).flatMap(([name, known]) => {
  const at = calls.find((call) => call.name === name)?.number;
  return Object.values(known)
    .filter(([, size]) => size > 0)
    .map(([request, size]) => `\t{${at}, ${size}, ${number(request)}},`);
});

export function memoryHeader() {
  const lines = rows.map(
    ([row, all]) => `\t[${row.number}] = {${all.length}, {${all.map(argumentText).join(', ')}}},`,
  );
  return `/* memory.h - what system calls' arguments point to. ${notice} */
enum memory_by {
	BY_NOTHING,
${manners.map((by) => `\tBY_${by.toUpperCase()},`).join('\n')}
};

#ifdef WITH_CALL_MEMORY
static const struct call_memory call_memory[] = {
${lines.join('\n')}
};
#endif

#ifdef WITH_REQUEST_MEMORY
static const struct request_memory request_memory[] = {
${requestLines.join('\n')}
};
#endif
`;
}
