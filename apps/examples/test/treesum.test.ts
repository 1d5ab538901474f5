/**
 * treesum.test.ts: treesum against node:crypto and sha256sum, on a tree of everything that a folder may hold.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli, environment, lwkt, type Result } from '../../lwkt/test/lwkt.ts';

const program = fileURLToPath(new URL('../treesum/treesum.ts', import.meta.url));
const deny = fileURLToPath(new URL('fixtures/deny.ts', import.meta.url));

/** Regular files of the odd tree: names as bytes (latin1: one character a byte), and contents. */
const FILES: [name: string, content: Buffer][] = [
  ['plain.txt', Buffer.from('plain\n')],
  ['empty', Buffer.alloc(0)],
  ['big', Buffer.alloc(3 * 1024 * 1024 + 17, 'not a multiple of any buffer')],
  ['exactly', Buffer.alloc(128 * 1024, 'one buffer')],
  ['not utf-8 \xff\xfe', Buffer.from('bytes')],
  ['na\xc3\xafve', Buffer.from('UTF-8')],
  ['new\nline', Buffer.from('newline')],
  ['back\\slash', Buffer.from('backslash')],
  ['both \\\n', Buffer.from('both')],
  ['-dash', Buffer.from('dash')],
  [' space ', Buffer.from('space')],
  ['...', Buffer.from('dots')],
  ['.hidden', Buffer.from('hidden')],
  ['sub/one', Buffer.from('one')],
  ['sub/deeper/two', Buffer.from('two')],
  ['sub/deeper/new\nfolder/three', Buffer.from('three')],
];

let scratch = '';
let tree = '';
let server: Server;

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** What treesum must print for FILES, sorted. */
function expectedLines(folder: string): string[] {
  const lines = FILES.map(([name, content]) => {
    const path = `${folder}/${name}`;
    const escaped = path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    return `${escaped === path ? '' : '\\'}${digest(content)}  ${escaped}`;
  });
  return lines.sort();
}

function linesOf({ bytes }: Result): string[] {
  return bytes.toString('latin1').trimEnd().split('\n');
}

function treesum(args: string[], options: { cwd?: string; lwkt?: string[] } = {}): Promise<Result> {
  const { lwkt: flags = [], ...rest } = options;
  return lwkt(['run', ...flags, program, ...args], rest);
}

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'treesum-test-'));
  tree = join(scratch, 'tree');
  mkdirSync(join(tree, 'sub/deeper/new\nfolder'), { recursive: true });
  mkdirSync(join(tree, 'no files'));
  for (const [name, content] of FILES) writeFileSync(bytes(`${tree}/${name}`), content);
  symlinkSync('plain.txt', join(tree, 'link to a file'));
  symlinkSync('..', join(tree, 'sub/loop'));
  symlinkSync('self', join(tree, 'self'));
  symlinkSync('nowhere', join(tree, 'dangling'));
  execFileSync('mkfifo', [join(tree, 'fifo')]); // opened to read, it would wait for ever
  server = createServer().listen(join(tree, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
});

afterAll(() => {
  server.close();
  rmSync(scratch, { recursive: true });
});

describe('a tree of odd files', () => {
  test.each(['1', '2', '64', '10000'])('-j %s: every regular file, and nothing else', async (jobs) => {
    const result = await treesum(['-j', jobs, tree]);
    expect(linesOf(result).sort()).toEqual(expectedLines(tree));
    const total = FILES.reduce((sum, [, content]) => sum + content.length, 0);
    expect(result.stderr).toMatch(
      new RegExp(
        `^treesum: ${FILES.length} files, ${total} bytes, [0-9.]+ s, ${FILES.length} userthreads ` +
          `\\(${jobs} at a time\\), \\d+ system-call messages\n$`,
      ),
    );
    expect(result.status).toBe(0);
  });

  test('the order is always the same, whatever -j', async () => {
    const [first, ...others] = await Promise.all(['1', '3', '64'].map((jobs) => treesum(['-j', jobs, tree])));
    for (const other of others) expect(other.stdout).toBe(first?.stdout);
  });

  test('the lines are sha256sum’s own', async () => {
    const find = 'find "$0" -type f -print0 | xargs -0 sha256sum';
    const { stdout } = spawnSync('bash', ['-c', find, tree], { encoding: 'latin1' });
    expect(linesOf(await treesum([tree])).sort()).toEqual(stdout.trimEnd().split('\n').sort());
  });

  test('sha256sum -c accepts them', async () => {
    const { bytes } = await treesum([tree]);
    const check = spawnSync('sha256sum', ['-c', '--strict', '--quiet'], { input: bytes, encoding: 'utf8' });
    expect(check.stderr).toBe('');
    expect(check.status).toBe(0);
  });

  test('a relative folder, with or without a slash at its end', async () => {
    for (const folder of ['tree', 'tree/']) {
      const result = await treesum([folder], { cwd: scratch });
      expect(linesOf(result).sort()).toEqual(expectedLines('tree'));
    }
  });

  test('the folder itself may be a link', async () => {
    symlinkSync('tree', join(scratch, 'alias'));
    const result = await treesum(['alias'], { cwd: scratch });
    expect(linesOf(result).sort()).toEqual(expectedLines('alias'));
  });

  test('links, FIFOs and sockets are not even opened', async () => {
    const file = join(scratch, 'trace.txt');
    await treesum([tree], { lwkt: [`--trace=${file}`] });
    const trace = readFileSync(file, 'utf8');
    expect(trace).toContain('plain.txt'); // or the next line would prove nothing
    expect(trace).not.toMatch(/fifo|socket|self|dangling|loop|link to a file/);
  });
});

describe('what cannot be read', () => {
  test('is reported, the rest is done, and the status is 1', async () => {
    const result = await treesum([tree], { lwkt: ['--shim', deny] });
    const denied = /\/(plain\.txt|deeper\/.*)$/; // see fixtures/deny.ts
    expect(linesOf(result).sort()).toEqual(expectedLines(tree).filter((line) => !denied.test(line)));
    const complaints = result.stderr.split('\n').slice(0, 2).sort();
    expect(complaints).toEqual([
      `treesum: ${tree}/plain.txt: permission denied`,
      `treesum: ${tree}/sub/deeper: permission denied`,
    ]);
    expect(result.status).toBe(1);
  });

  test('a folder that is not there', async () => {
    const result = await treesum(['nowhere'], { cwd: scratch });
    expect(result.stderr).toMatch(/^treesum: nowhere: no such file or directory\n/);
    expect(result.stdout).toBe('');
    expect(result.status).toBe(1);
  });

  test('a folder that is a file', async () => {
    const result = await treesum(['tree/empty'], { cwd: scratch });
    expect(result.stderr).toMatch(/^treesum: tree\/empty: not a directory\n/);
    expect(result.status).toBe(1);
  });
});

test('a reader that stops early: quiet', () => {
  const many = join(scratch, 'many');
  mkdirSync(many);
  // Far more than the 64 KiB that a pipe holds: treesum still writes when head has gone.
  for (let i = 0; i < 3000; i++) writeFileSync(join(many, `file ${i}`), `${i}`);
  const pipe = '"$@" | head -n 1; echo "status $PIPESTATUS"'; // of the first in the pipe
  const args = ['-c', pipe, 'bash', process.execPath, cli, 'run', program, many];
  const { stdout, stderr } = spawnSync('bash', args, { encoding: 'utf8', env: environment() });
  expect(stdout).toMatch(/^[0-9a-f]{64} {2}.*\nstatus 141\n$/);
  expect(stderr).toBe('');
});

test.each(['1', '64'])('-j %s > a full disk: one line, status 1', (jobs) => {
  const command = ['-c', 'exec "$@" > /dev/full', 'bash'];
  const args = [...command, process.execPath, cli, 'run', program, '-j', jobs, tree];
  const { stderr, status } = spawnSync('bash', args, { encoding: 'utf8', env: environment() });
  expect([status, stderr]).toEqual([1, 'treesum: standard output: no space left on device\n']);
});

test('a progress bar on stderr, if that is a terminal and stdout is not', () => {
  const lines = join(scratch, 'lines.txt');
  const command = ['env', 'TERM=xterm', process.execPath, cli, 'run', program, tree];
  const quoted = command.map((word) => `'${word}'`).join(' ');
  const script = ['-qec', `${quoted} > '${lines}'`, '/dev/null']; // script(1) makes the terminal
  const { stdout, status } = spawnSync('script', script, { encoding: 'utf8', env: environment() });
  expect(status).toBe(0);
  expect(stdout).toMatch(new RegExp(`=+ ${FILES.length}/${FILES.length} files, \\d+ s`));
  expect(readFileSync(lines, 'latin1').trimEnd().split('\n').sort()).toEqual(expectedLines(tree));
});

test.each([
  [[]],
  [['a', 'b']],
  [['-x', '.']],
  [['-j', '0', '.']],
  [['-j', '1.5', '.']],
  [['-j', 'many', '.']],
  [['-j', '10001', '.']],
  [['']],
])('treesum %j: usage, status 2', async (args) => {
  const result = await treesum(args);
  expect(result.stderr).toMatch(/^usage: treesum \[-j N\] FOLDER/);
  expect(result.stdout).toBe('');
  expect(result.status).toBe(2);
});
