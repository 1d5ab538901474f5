/** temporary.test.ts: mkdtempDisposable and mkdtempDisposableSync of @libcr/syscalls/fs, and node:fs' where it has them. */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { create, run } from '@libcr/core';
import { afterEach, describe, expect, test } from 'vitest';
import ownFs from '../../src/fs/index.ts';
import { sys } from '../../src/index.ts';
import { memfs } from '../../src/shims/memfs/index.ts';
import { codeOf, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const cwd = process.cwd();
afterEach(() => process.chdir(cwd));

// biome-ignore lint/suspicious/noExplicitAny: @types/node is older
const node = nodeFs as any;
const implementations: [string, typeof ownFs][] = [['of the port', ownFs]];
if (node.mkdtempDisposableSync !== undefined) implementations.push(["node:fs'", node]);

describe.each(implementations)('%s', (_name, fs) => {
  test('removed, with what is in it, wherever the working directory is', async () => {
    process.chdir(folder);
    const made = fs.mkdtempDisposableSync('now-');
    const later = await fs.promises.mkdtempDisposable('later-');
    for (const [{ path }, prefix] of [
      [made, 'now-'],
      [later, 'later-'],
    ] as const) {
      expect(path).toMatch(new RegExp(`^${prefix}\\w{6}$`));
      expect(nodeFs.statSync(path).mode & 0o777).toBe(0o700);
      nodeFs.mkdirSync(join(path, 'a/b'), { recursive: true });
      nodeFs.writeFileSync(join(path, 'a/b/c'), '');
    }
    expect([Object.keys(made), Object.keys(later)]).toEqual([
      ['path', 'remove'],
      ['path', 'remove'],
    ]);
    process.chdir('/');
    expect(made.remove()).toBeUndefined();
    expect(await later.remove()).toBeUndefined();
    expect(nodeFs.readdirSync(folder)).toEqual([]);
    made[Symbol.dispose]();
    await later[Symbol.asyncDispose]();
  });

  test('errors', async () => {
    expect(codeOf(() => fs.mkdtempDisposableSync(join(folder, 'none/x')))).toBe('ENOENT');
    expect(codeOf(() => fs.mkdtempDisposableSync(5 as never))).toBe('ERR_INVALID_ARG_TYPE');
    await expect(fs.promises.mkdtempDisposable(join(folder, 'none/x'))).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'mkdtemp',
    });
    await expect(fs.promises.mkdtempDisposable(null as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    });
  });
});

test('through the port', async () => {
  const memory = memfs({ '/memory': {} });
  await run(() => {
    const main = (): void => {
      const made = ownFs.mkdtempDisposableSync('/memory/x');
      expect(memory.readdir('/memory')).toHaveLength(1);
      made.remove();
    };
    create(main, { syscallPort: sys.with(memory) }).join();
  });
  expect(memory.readdir('/memory')).toEqual([]);
});
