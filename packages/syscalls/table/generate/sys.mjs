/** sys.mjs: src/generated/sys.ts: one function for each call, blocking and as a promise. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from '../kinds.mjs';
import { results } from '../results.mjs';
import { exposed, full, notice, page, refused } from './table.mjs';

/** TypeScript's parameter list, with ? in an interface and defaults in an implementation. */
function parameters(row, implementation) {
  const list = exposed(row).map(([name, kind, options = {}]) => {
    const { type } = kinds[kind];
    if (options.default === undefined) return `${name}: ${type}`;
    if (options.default === 'undefined') return `${name}?: ${type}`;
    return implementation ? `${name}: ${type} = ${options.default}` : `${name}?: ${type}`;
  });
  if (row.extra) list.push(implementation ? row.extra : row.extra.replace(/^(\w+): (.*) = .*$/, '$1?: $2'));
  return list.join(', ');
}

function documentation(row) {
  const lines = [row.doc];
  const defaults = exposed(row).filter(
    ([, , options]) => options?.default && options.default !== 'undefined',
  );
  if (defaults.length)
    lines.push(
      `Default${defaults.length > 1 ? 's' : ''}: ${defaults.map(([name, , o]) => `${name} ${o.default}`).join(', ')}.`,
    );
  const blocks = row.block === 'never' ? 'Does not block.' : 'May block the running userthread.';
  lines.push(`${blocks} (${page(row)})`);
  return `  /** ${lines.join(' ')} */`;
}

function body(row, asynchronous) {
  const before = [];
  const values = [];
  for (const arg of row.args) {
    const [name, kindName] = arg;
    const kind = kinds[kindName];
    before.push(...(kind.before?.(name, row, arg) ?? []));
    values.push(...kind.values(name, arg));
  }
  const send = asynchronous ? 'await sendAsync' : 'send';
  const paths = row.args
    .filter(([, kind]) => kind === 'path' || kind === 'pathOptional')
    .map(([name]) => name);
  const { value } = results[row.result];
  return [
    ...before,
    `const r = ${send}(${[row.number, ...values].join(', ')});`,
    `if (r < 0) throw failure(${[`r`, `'${row.name}'`, ...paths].join(', ')});`,
    ...(value ? [`return ${value};`] : []),
  ]
    .map((line) => `    ${line}\n`)
    .join('');
}

function refusedBody(row, asynchronous) {
  const send = asynchronous ? 'await sendAsync' : 'send';
  return `    const r = ${send}(${row.number}, ...args);
    if (r < 0) throw refusal(r, '${row.name}');
    return r;
`;
}

const promised = (type, asynchronous) => (asynchronous ? `Promise<${type}>` : type);

function implementations(asynchronous) {
  const prefix = asynchronous ? 'async ' : '';
  const all = [
    ...full.map((row) => {
      const type = promised(results[row.result].type, asynchronous);
      return `  ${prefix}${row.name}(${parameters(row, true)}): ${type} {\n${body(row, asynchronous)}  },\n`;
    }),
    ...refused.map((row) => {
      const type = promised('number', asynchronous);
      return `  ${prefix}${row.name}(...args: unknown[]): ${type} {\n${refusedBody(row, asynchronous)}  },\n`;
    }),
  ];
  return all.join('');
}

function signatures(asynchronous) {
  const all = [
    ...full.map((row) => {
      const type = promised(results[row.result].type, asynchronous);
      const signature = `  ${row.name}(${parameters(row, false)}): ${type};`;
      return asynchronous ? signature : `${documentation(row)}\n${signature}`;
    }),
    ...refused.map((row) => {
      const signature = `  ${row.name}(...args: unknown[]): ${promised('number', asynchronous)};`;
      if (asynchronous) return signature;
      return `  /** Refused. ${row.reason} Instead: ${row.alternative}. */\n${signature}`;
    }),
  ];
  return all.join('\n');
}

/** The names that the text uses of those that src/codec/index.ts exports; a type keeps its "type". */
function codecImports(text) {
  const index = readFileSync(join(import.meta.dirname, '../../src/codec/index.ts'), 'utf8');
  const used = new Set(text.match(/[A-Za-z_]\w*/g));
  const names = [...index.matchAll(/export (type )?\{([^}]*)\}/g)].flatMap(([, all, list]) =>
    list
      .split(',')
      .map((entry) => entry.trim())
      .filter(Boolean)
      .map((entry) => (all && !entry.startsWith('type ') ? `type ${entry}` : entry)),
  );
  // A class that is only a type here.
  const asTypes = new Set(['Stat', 'Statx']);
  return names
    .filter((entry) => used.has(entry.replace('type ', '')))
    .map((entry) => `  ${asTypes.has(entry) ? `type ${entry}` : entry},\n`)
    .join('');
}

export function sysFile() {
  const text = `
/** The system calls in blocking style. Each throws a SyscallError where the kernel (or a shim) answers one. */
export interface Calls {
${signatures(false)}
}

/** The same as promises, for code on the event loop. */
export interface AsyncCalls {
${signatures(true)}
}

export const blockingCalls: Calls = {
${implementations(false)}};

export const asyncCalls: AsyncCalls = {
${implementations(true)}};
`;
  return `/** sys.ts: one function for each system call, blocking and as a promise. ${notice} */
import {
${codecImports(text)}} from '../codec/index.ts';
import { failure, refusal } from '../failure.ts';
import { send, sendAsync } from '../port/send.ts';
${text}`;
}
