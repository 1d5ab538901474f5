// What the group "record" runs: command(scratch) is a program and its arguments, input a file for its standard input; before(scratch) is done ahead of each run, and not
// measured. prepare(scratch) makes what it works on, once.
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const FILES = 24;
const MIB = 4;

/** Text that can be compressed, the same each time. */
function writeText(path) {
  const fd = openSync(path, 'w');
  const piece = Buffer.alloc(1 << 20);
  let state = 20261130;
  for (let i = 0; i < MIB; i++) {
    for (let at = 0; at < piece.length; ) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      at += piece.write(`${((state >>> 16) * 7919) % 20011} `, at, 'latin1');
    }
    writeSync(fd, piece);
  }
  closeSync(fd);
}

/** A program of some files in C, each with the usual headers. */
function writeProject(folder) {
  const names = Array.from({ length: FILES }, (_, i) => `part${i}`);
  mkdirSync(folder, { recursive: true });
  for (const name of names)
    writeFileSync(
      join(folder, `${name}.c`),
      `#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n` +
        `int ${name}(int x)\n{\n\tchar text[100];\n\n\tsnprintf(text, sizeof(text), "%d", x);\n\treturn (int)strlen(text) + atoi(text);\n}\n`,
    );
  writeFileSync(
    join(folder, 'main.c'),
    `${names.map((name) => `int ${name}(int x);\n`).join('')}int main(void)\n{\n\treturn ${names.map((name) => `${name}(1)`).join(' + ')} == 0;\n}\n`,
  );
  writeFileSync(
    join(folder, 'Makefile'),
    `program: ${[...names, 'main'].map((name) => `${name}.o`).join(' ')}\n\tgcc -o $@ $^\n%.o: %.c\n\tgcc -O2 -c -o $@ $<\nclean:\n\trm -f *.o program\n`,
  );
}

const here = import.meta.dirname;
const database = (scratch) => join(scratch, 'database');
const text = (scratch) => join(scratch, 'text');
const project = (scratch) => join(scratch, 'project');

export const loads = {
  make: {
    needs: 'make',
    prepare: (scratch) => writeProject(project(scratch)),
    command: (scratch) => ['make', '-s', '-C', project(scratch), 'clean', 'program'],
  },
  python: {
    needs: '/usr/bin/python3',
    command: () => ['/usr/bin/python3', join(here, 'words.py')],
  },
  sqlite: {
    needs: 'sqlite3',
    before: (scratch) => rmSync(database(scratch), { force: true }),
    command: (scratch) => ['sqlite3', database(scratch)],
    input: join(here, 'table.sql'),
  },
  xz: {
    needs: 'xz',
    prepare: (scratch) => writeText(text(scratch)),
    command: (scratch) => ['xz', '-3', '-c', text(scratch)],
  },
};
