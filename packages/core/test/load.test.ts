/**
 * load.test.ts: finding the native half, and what is said when it is missing: a copy of the package without
 * its prebuilds.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { outcome } from './run.ts';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const prebuild = join('prebuilds', 'linux-x64-glibc', `abi-${process.versions.modules}`, 'core.node');
let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'libcr-load-'));
  cpSync(join(packageFolder, 'dist'), join(copy, 'dist'), { recursive: true });
  cpSync(join(packageFolder, 'package.json'), join(copy, 'package.json'));
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

const load = (folder: string, native = ''): Promise<Record<string, string>> =>
  outcome<Record<string, string>>('import-from.mjs', {
    args: [join(folder, 'dist', 'index.js')],
    env: { LIBCR_CORE_NATIVE: native },
  });

test('the prebuilt one is found', async () => {
  expect(await load(packageFolder)).toEqual({ loaded: 'runs' });
});

test('none: ERR_LIBCR_NATIVE says for which Node, where it looked, and what to do', async () => {
  const { name, code, message } = await load(copy);
  expect({ name, code }).toEqual({ name: 'Error', code: 'ERR_LIBCR_NATIVE' });
  expect(message).toBe(
    `@libcr/core has no native half for Node ${process.version} (ABI ${process.versions.modules}). Tried\n` +
      `  ${join(copy, prebuild)}: no such file\n` +
      'This builds it, for all packages of libcr that are installed here (a C++ compiler, make and Python 3 are needed):\n' +
      '  npx @libcr/core build\n' +
      'In a checkout of libcr, "npm run build" makes it for the Node that runs npm.',
  );
});

test('LIBCR_CORE_NATIVE that points nowhere is named, and the prebuilt one is next', async () => {
  const nowhere = join(copy, 'nowhere.node');
  const { code, message } = await load(copy, nowhere);
  expect(code).toBe('ERR_LIBCR_NATIVE');
  expect(message).toContain(`  ${nowhere}: no such file\n  ${join(copy, prebuild)}: no such file\n`);
  expect(await load(packageFolder, nowhere)).toEqual({ loaded: 'runs' });
});

test('LIBCR_CORE_NATIVE that is no addon: the reason of the loader is the cause', async () => {
  const text = join(copy, 'text.node');
  writeFileSync(text, 'this is no shared object\n');
  const { code, message, cause } = await load(copy, text);
  expect(code).toBe('ERR_LIBCR_NATIVE');
  expect(message).toContain(`${text}: `);
  expect(cause).toMatch(/file too short|invalid ELF header/);
});

test('LIBCR_CORE_NATIVE serves a copy that has none', async () => {
  expect(await load(copy, join(packageFolder, prebuild))).toEqual({ loaded: 'runs' });
});
