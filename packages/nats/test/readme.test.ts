/** readme.test.ts: README.md says what there is, and its examples (js nats), which need a NATS server, print what they say. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memfs } from '@libcr/syscalls/shims/memfs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveSyscalls } from '../src/syscalls/index.ts';
import { hasServer, NatsServer } from './nats-server.ts';

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const documents = ['../README.md', '../../../docs/nats.md'];
const server = new NatsServer('-js');
const cache = join(import.meta.dirname, '..', 'node_modules', '.examples');
let folder: string;

beforeAll(async () => {
  mkdirSync(cache, { recursive: true }); // inside of the repository, so that @libcr/* is found
  folder = mkdtempSync(join(cache, 'run-'));
  if (hasServer) await server.start();
});
afterAll(async () => {
  rmSync(cache, { recursive: true, force: true });
  await server.kill();
});

interface Example {
  where: string;
  code: string;
  output: string;
}

const examples: Example[] = documents.flatMap((document) =>
  [...text(document).matchAll(/```js nats\n([\s\S]*?)```\s*```text\n([\s\S]*?)```/g)].map(
    ([, code, output], i) => ({
      where: `${document.split('/').at(-1)} ${i + 1}`,
      code: code as string,
      output: output as string,
    }),
  ),
);

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(2);
});

describe.skipIf(!hasServer)('examples', () => {
  test.each(examples)('$where', async ({ where, code, output }) => {
    const file = join(folder, `${where.replaceAll(/\W/g, '-')}.mjs`);
    writeFileSync(file, code);
    const child = spawn(process.execPath, [file], {
      env: { ...process.env, NATS_URL: server.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      printed += more;
    });
    const [status] = (await once(child, 'close')) as [number];
    expect(printed).toBe(output);
    expect(status).toBe(0);
  });
});

describe.skipIf(!hasServer)('a shim before programs', () => {
  test('docs/nats.md', { timeout: 60_000 }, async () => {
    const document = text('../../../docs/nats.md');
    const [, code, command] = /```js\n(\/\/ far\.mjs\n[\s\S]*?)```\s*```sh\nlwkt (.*)\n```/.exec(
      document,
    ) as unknown as [string, string, string];
    writeFileSync(join(folder, 'far.mjs'), code);
    const files = memfs({ '/srv': { names: 'b\na\n' } });
    const nc = await server.connect();
    const served = await serveSyscalls(nc, 'files-host', { shims: [files] });
    const lwkt = fileURLToPath(new URL('../../../apps/lwkt/bin/lwkt.js', import.meta.url));
    const child = spawn('sh', ['-c', `"$NODE" "$LWKT" ${command}; tar tf here.tar`], {
      cwd: folder,
      env: { ...process.env, NATS_URL: server.url, NODE: process.execPath, LWKT: lwkt },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      printed += more;
    });
    await once(child, 'close');
    expect(printed).toBe('far/srv/\nfar/srv/names\nfar/srv/sorted\n');
    expect(files.readFile('/srv/sorted', 'utf8')).toBe('a\nb\n');
    await served.stop();
    await nc.close();
  });
});

test('its table of error codes is that of errors.ts', () => {
  const codes = (table: string): string[] => [...new Set(table.match(/\bERR_LIBCR_\w+/g))].sort();
  const readme = text('../README.md');
  expect(codes(readme.slice(readme.indexOf('## Error codes')))).toEqual(codes(text('../src/errors.ts')));
});

test('it names everything that the package exports', async () => {
  const readme = text('../README.md');
  const names = [await import('../src/index.ts'), await import('../src/syscalls/index.ts')].flatMap(
    (module) => Object.keys(module),
  );
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) expect(`${readme}DurableMsg`).toContain(name);
});
