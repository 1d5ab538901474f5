/**
 * generate.mjs: writes what follows from the table: src/generated/*.ts, native/src/table/generated/calls.h and docs/syscalls.md, each by a file of
 * generate/; and src/generated/channel.ts, from native/program/script/. Generated files are committed.
 *
 *   node table/generate.mjs            write them
 *   node table/generate.mjs --check    say which are out of date; exit status 1 if any is
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { channelFile } from './generate/channel.mjs';
import { constantsFile } from './generate/constants.mjs';
import { docsFile } from './generate/docs.mjs';
import { memoryHeader } from './generate/memory.mjs';
import { tableHeader } from './generate/native.mjs';
import { argumentsHeader, descriptorsHeader, namesHeader } from './generate/program.mjs';
import { flagSetsFile, rowsFile } from './generate/rows.mjs';
import { sysFile } from './generate/sys.mjs';

const root = join(import.meta.dirname, '..');

const files = {
  'src/generated/sys.ts': sysFile(),
  'src/generated/channel.ts': channelFile(),
  'src/generated/constants.ts': constantsFile(),
  'src/generated/rows.ts': rowsFile(),
  'src/generated/flag-sets.ts': flagSetsFile(),
  'native/src/table/generated/calls.h': tableHeader(),
  'native/program/generated/arguments.h': argumentsHeader(),
  'native/program/generated/descriptors.h': descriptorsHeader(),
  'native/program/generated/memory.h': memoryHeader(),
  'native/src/table/generated/names.h': namesHeader(),
  '../../docs/syscalls.md': docsFile(),
};

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

let stale = 0;
for (const [name, text] of Object.entries(files)) {
  const path = join(root, name);
  if (read(path) === text) continue;
  stale++;
  if (process.argv.includes('--check')) {
    console.error(`${name} is out of date: run node table/generate.mjs`);
    continue;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(`wrote ${name}`);
}
if (process.argv.includes('--check') && stale) process.exitCode = 1;
