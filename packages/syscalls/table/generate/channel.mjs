/**
 * channel.mjs: src/generated/channel.ts: what native/program/script/channel.h and rows.h say: numbers, and where the fields of their structs are. They are read here as
 * far as they go: numbers, enums, and structs of integers, of arrays and of other structs.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../native/program/script');
const source = ['channel.h', 'rows.h']
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n')
  .replace(/\/\*[\s\S]*?\*\//g, '');

const SIZES = {
  int8_t: 1,
  uint8_t: 1,
  char: 1,
  uint16_t: 2,
  int32_t: 4,
  uint32_t: 4,
  int64_t: 8,
  uint64_t: 8,
};

/** By name. */
const numbers = new Map();

/** What an expression of numbers, names, +, * and / is. */
function valueIn(expression) {
  const text = expression.replace(/\(long\)/g, '').replace(/[A-Z_]{2,}\w*/g, (name) => {
    if (!numbers.has(name)) throw new Error(`channel.h: ${name} is not known where it is used`);
    return numbers.get(name);
  });
  if (!/^[\dxa-f\s()+*/-]+$/.test(text)) throw new Error(`channel.h: ${expression} can't be read`);
  return Number(new Function(`return ${text}`)());
}

for (const [, name, expression] of source.matchAll(/^#define ([A-Z_]+) (.+)$/gm))
  numbers.set(name, valueIn(expression.trim()));
for (const [, list] of source.matchAll(/enum \w+ \{([^}]*)\}/g))
  for (const [i, name] of list
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)
    .entries())
    numbers.set(name, i);

/** name → { size, align, fields: { name: offset } } */
const structs = new Map();

function typeOf(type) {
  const size = SIZES[type];
  if (size !== undefined) return { size, align: size, fields: {} };
  const known = structs.get(type.replace(/^struct /, ''));
  if (known === undefined) throw new Error(`channel.h: the type ${type} is not known`);
  return known;
}

for (const [, name, body] of source.matchAll(/^struct (\w+) \{([^}]*)\};/gm)) {
  const struct = { size: 0, align: 1, fields: {} };
  for (const [, type, declared] of body.matchAll(/(?:volatile )?((?:struct )?\w+) ([^;]+);/g)) {
    const { size, align } = typeOf(type);
    struct.align = Math.max(struct.align, align);
    for (const each of declared.split(',')) {
      const [, field, count] = /^\s*(\w+)(?:\[([^\]]*)\])?\s*$/.exec(each);
      struct.size = Math.ceil(struct.size / align) * align;
      struct.fields[field] = struct.size;
      if (field.endsWith('_data'))
        for (const [inner, offset] of Object.entries(typeOf(type).fields))
          struct.fields[inner] = struct.size + offset; // what it consists of
      struct.size += size * (count === undefined ? 1 : count === '' ? 0 : valueIn(count));
    }
  }
  struct.size = Math.ceil(struct.size / struct.align) * struct.align;
  structs.set(name, struct);
}

const camel = (field) =>
  field.replace(/^[a-z]+_/, '').replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const upper = (name) => name.toUpperCase();

/** What supervisor/ calls them by. */
const RENAMED = [
  [/^CHANNEL_(CALLS|SLOTS|SLOTS_AT|PARTS|NAME_SIZE|ARGUMENTS)$/, '$1'],
  [/^ARGUMENT_(IN|OUT|CHANGED|SHORT)$/, 'FLAG_$1'],
  [/^ARGUMENT_(NUMBER|PATH|BUFFER|BUFFERS|MESSAGE|NULL|MESSAGES)$/, 'KIND_$1'],
];
const NAMES = { slot_argument: 'ARGUMENT', slot_part: 'PART', slot_message: 'MESSAGE', rows: 'ROWS' };

const renamed = (name) => RENAMED.reduce((text, [from, to]) => text.replace(from, to), name);

export function channelFile() {
  const values = [...numbers].map(([name, value]) => `export const ${renamed(name)} = ${value};\n`);
  const layouts = [...structs].map(([name, { size, fields }]) => {
    const known = NAMES[name] ?? upper(name);
    const lines = Object.entries(fields).map(([field, offset]) => `  ${camel(field)}: ${offset},\n`);
    const bytes = /^(channel|slot|rows)$/.test(name) ? '' : `export const ${known}_SIZE = ${size};\n`;
    return `/** struct ${name}. Bytes from its beginning. */\nexport const ${known} = {\n${lines.join('')}} as const;\n${bytes}`;
  });
  return `/**
 * channel.ts: the memory by which programs' calls come: the numbers of its protocol and where what is, as native/program/script/channel.h and rows.h have them. Generated
 * by table/generate.mjs from those: do not edit.
 */
${values.join('')}
${layouts.join('\n')}`;
}
