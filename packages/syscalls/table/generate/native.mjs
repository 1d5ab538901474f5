/**
 * native.mjs: native/src/table/generated/calls.h: how each call may wait, and what marshal.c goes by. Calls that are refused or obsolete have no row of the latter:
 * they answer ENOSYS to JavaScript, but a program makes them.
 */
import { commands, requests } from '../requests.mjs';
import { calls, kernelArguments, notice, supported } from './table.mjs';

const classOf = ({ block = 'never' }) => `BLOCK_${block.toUpperCase()}`;

function rowText(row) {
  const args = kernelArguments(row).map(({ native }) => {
    const [, kind, size = '0'] = native.match(/^(\w+)(?:\((\d+)\))?$/);
    return `{${kind}, ${size}}`;
  });
  return `\t[${row.number}] = {"${row.name}", ${classOf(row)}, ${args.length}, {${args.join(', ') || '{ARG_INT, 0}'}}},`;
}

export function tableHeader() {
  const requestRows = Object.entries(requests).map(
    ([name, [value, size]]) => `\t{0x${value.toString(16)}, ${size}}, /* ${name} */`,
  );
  const commandRows = Object.entries(commands).flatMap(([name, list]) => {
    const { number } = calls.find((row) => row.name === name);
    return Object.entries(list).map(
      ([command, [value, size]]) => `\t{${number}, ${value}, ${size}}, /* ${name}: ${command} */`,
    );
  });
  return `/* calls.h - the table of system calls. ${notice} */
#define CALL_NUMBER_MAX ${Math.max(...calls.map((row) => row.number))}

/* enum block_class. */
static const unsigned char call_classes[CALL_NUMBER_MAX + 1] = {
${calls.map((row) => `\t[${row.number}] = ${classOf(row)}, /* ${row.name} */`).join('\n')}
};

static const struct call_row call_rows[CALL_NUMBER_MAX + 1] = {
${supported.map(rowText).join('\n')}
};

/* ioctl's requests, and the bytes of their structs; 0: an int. */
static const struct {
	uint32_t request;
	int size;
} ioctl_rows[] = {
${requestRows.join('\n')}
};

/* The commands of other calls, and the same. */
static const struct {
	int number;
	int command;
	int size;
} command_rows[] = {
${commandRows.join('\n')}
};
`;
}
