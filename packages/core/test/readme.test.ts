/**
 * readme.test.ts: the examples of README.md work as they stand: each js block is a program that prints the
 * text block after it.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { stressFlags } from './run.ts';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/^```(\w*)(?: (\S+))?[^\n]*\n([\s\S]*?)^```$/gm)].map(
  ([, language, file, text]) => ({ language, file, text }),
);

/** A block whose first line names a file (```js worker.mjs) is that file, beside the programs. */
mkdirSync(join(packageFolder, 'build-test'), { recursive: true });
const folder = mkdtempSync(join(packageFolder, 'build-test', 'readme-'));
for (const { file, text } of blocks) if (file) writeFileSync(join(folder, file), text);
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the module text in a folder inside of the package. */
function runModule(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    writeFileSync(join(folder, 'program.mjs'), text);
    const args = [...stressFlags, join(folder, 'program.mjs')];
    execFile(process.execPath, args, { cwd: packageFolder }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout),
    );
  });
}

test('it has examples', () => {
  expect(blocks.filter(({ language }) => language === 'js').length).toBeGreaterThanOrEqual(3);
});

blocks.forEach(({ language, file, text }, i) => {
  if (language !== 'js' || file) return;
  test(`example ${i + 1}: ${text.split('\n')[2]}`, async () => {
    expect(blocks[i + 1].language).toBe('text');
    expect(await runModule(text)).toBe(blocks[i + 1].text);
  });
});

test('its C program is built and run by the commands that stand there', { timeout: 900_000 }, async () => {
  const at = blocks.findIndex(({ language, text }) => language === 'sh' && text.includes('native/example'));
  const { stdout, stderr } = await promisify(execFile)('sh', ['-eu', '-c', blocks[at].text], {
    cwd: packageFolder,
  });
  expect({ stdout, stderr }).toEqual({ stdout: blocks[at + 1].text, stderr: '' });
});

test('its table of error codes is that of errors.ts', () => {
  const codes = (text: string): string[] => [
    ...new Set(text.match(/ERR_LWKT_\w+|ERR_LIBCR_\w+|ERR_[IO]\w+|ABORT_ERR/g)),
  ];
  const table = readme.slice(readme.indexOf('## Error codes'), readme.indexOf('## Dependencies'));
  const source = readFileSync(new URL('../src/errors/errors.ts', import.meta.url), 'utf8');
  expect(codes(table).sort()).toEqual(codes(source).sort());
});

test('it names every function and class that the package exports', async () => {
  const text = "import * as core from '@libcr/core'; console.log(Object.keys(core).join());";
  const names = (await runModule(text)).trim().split(',');
  expect(names.length).toBeGreaterThan(8);
  const constants = /^(PRIORITY_\w+|UserThread)$/;
  for (const name of names.filter((n) => !constants.test(n))) expect(readme).toContain(name);
});
