/**
 * overlay.test.ts: overlay before programs: what a program does in an overlay is what it does in a copy of the lower directory, and the lower directory stays as it was.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Overlay, overlay } from '@libcr/syscalls/shims/overlay';
import { describe, expect, test } from 'vitest';
import { spawn } from '../../src/spawn/index.ts';
import { compile, scratch } from '../programs.ts';

/** All that is in a directory, by path. */
function treeOf(folder: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(folder, below)).sort()) {
    const path = join(below, name);
    const real = join(folder, path);
    const stat = lstatSync(real);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) found[path] = `-> ${readlinkSync(real)}`;
    else if (stat.isDirectory()) Object.assign(found, { [path]: `directory ${mode}` }, treeOf(folder, path));
    else found[path] = `${mode} ${readFileSync(real, 'latin1')}`;
  }
  return found;
}

let made = 0;

/** A lower directory. */
function lowerDirectory(): string {
  const lower = join(scratch, `lower${made++}`);
  mkdirSync(join(lower, 'dir/sub/deep'), { recursive: true });
  mkdirSync(join(lower, 'empty'));
  for (const [name, text] of Object.entries({
    'a.txt': 'a\n',
    'b.txt': 'b\n',
    'dir/c.txt': 'c\n',
    'dir/sub/d.txt': 'd\n',
    'dir/sub/deep/e.txt': 'e\n',
    'run.sh': '#!/bin/sh\necho run "$@"\n',
  }))
    writeFileSync(join(lower, name), text, { mode: name === 'run.sh' ? 0o755 : 0o644 });
  execFileSync(
    'sh',
    [
      '-c',
      'ln -s dir/sub link; ln -s ../b.txt dir/up; ln -s nowhere dangling; ln -s "$PWD/a.txt" whole; touch -d @1000000000 dir/sub/deep dir/sub dir .',
    ],
    {
      cwd: lower,
    },
  );
  return lower;
}

interface Outcome {
  stdout: string;
  status: number | null;
  tree: Overlay;
}

async function inOverlay(lower: string, script: string, options = {}): Promise<Outcome> {
  const tree = overlay({ lower, ...options });
  const child = spawn('/bin/sh', ['-c', script], {
    cwd: lower,
    stdio: ['ignore', 'pipe', 'pipe'],
    shims: [tree],
  });
  let stdout = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
  const [status] = (await once(child, 'close')) as [number | null];
  return { stdout, status, tree };
}

const scripts: Record<string, string> = {
  'looks around':
    'ls -a . dir dir/sub link/; cat link/d.txt dir/up whole; cat dangling; pwd; find . | sort; test -w a.txt && echo w; stat -c %Y . dir dir/sub dir/sub/deep dir/sub/deep/e.txt',
  'changes files':
    'echo more >> a.txt; echo new > b.txt; echo x > dir/new.txt; cat a.txt b.txt dir/new.txt; ls dir; chmod 600 dir/c.txt; stat -c %a dir/c.txt; touch -d @1000000000 a.txt; stat -c %Y a.txt',
  removes:
    'rm a.txt dir/sub/d.txt; ls . dir/sub; cat a.txt; rmdir dir; rm -r dir; ls; cat dir/c.txt; mkdir dir; ls -A dir; echo y > dir/c.txt; cat dir/c.txt; rmdir empty; rmdir empty; ls',
  'makes a file again':
    'rm a.txt; echo again > a.txt; cat a.txt; ls -A; rm a.txt; ls -A; ln -s b.txt a.txt; cat a.txt',
  renames:
    'mv a.txt z.txt; cat z.txt a.txt; mv dir moved; ls -R moved; cat dir/c.txt moved/sub/deep/e.txt; mv b.txt moved/c.txt; cat moved/c.txt; mv moved/sub empty; find . | sort; mv z.txt moved; mkdir dir; ls -A dir',
  links:
    'ln a.txt hard; cat hard; echo z >> hard; cat a.txt; echo through > link/d.txt; cat dir/sub/d.txt; echo up > dir/up; cat b.txt; readlink link whole; ls -l link | cut -c1-10; cd link; pwd; cat d.txt; cat ../sub/d.txt',
  runs: './run.sh one; cp run.sh two.sh; ./two.sh two; chmod -x two.sh; ./two.sh; cp /bin/echo e; ./e copied; cp -a dir copy; find copy | sort; tar cf t.tar dir; tar tf t.tar | sort; mkdir x; tar xf t.tar -C x; find x | sort; rm t.tar',
  packs:
    'tar cf - . | tar tf - | sort; tar cf - dir/sub | tar tf - | sort; du -ax . | wc -l; find . -xdev -type f | sort; find . -samefile b.txt; stat -c %h . dir empty',
  'is one file':
    'f() { stat -Lc %d:%i $1; }; a=$(f b.txt); exec 3<>b.txt; test $a = $(f /dev/fd/3) -a $a = $(f b.txt) && echo same; mv b.txt z; test $a = $(f z) && echo same; touch n; stat -c %d . n z dir a.txt | uniq | wc -l; d=$(f dir); echo x > dir/sub/y; test $d = $(f dir) && echo same; ln a.txt h; echo y >> h; diff a.txt h && echo same; mv a.txt h; ls',
  fails:
    'mkdir dir; mkdir a.txt; mkdir a.txt/b; cat a.txt/b; echo x > dir; rm dir; rm nothing; rmdir dir/sub; echo x > nothing/y; mv nothing b; ls a.txt/; set -C; echo x > a.txt; cat a.txt',
  walks:
    'cd dir/sub; cat d.txt ../c.txt ../../a.txt; echo n > ../n; rm ../c.txt; ls ..; cd ../..; rm -r dir/sub; cd dir; ls -A; find . -type f | sort; ls | while read f; do rm -r "$f"; done; cd ..; rmdir dir; ls',
};

describe('as in a copy', () => {
  test.each(Object.entries(scripts))('%s', async (_, script) => {
    const lower = lowerDirectory();
    const copy = join(scratch, `copy${made++}`);
    execFileSync('cp', ['-a', lower, copy]);
    const before = treeOf(lower);
    const real = spawnSync('/bin/sh', ['-c', `{ ${script.replaceAll(';', '\n')}\n} 2>&1`], {
      cwd: copy,
      encoding: 'utf8',
    });
    const outcome = await inOverlay(lower, `{ ${script.replaceAll(';', '\n')}\n} 2>&1`);
    expect(outcome.stdout).toBe(real.stdout.replaceAll(copy, lower));
    expect(outcome.status).toBe(real.status);
    expect(treeOf(lower)).toEqual(before);
    // What it has made of it is what the handle says.
    const saved = join(scratch, `saved${made++}`);
    outcome.tree.save(saved);
    const again = await inOverlay(lower, 'find . -type f -exec cat {} +; find . | sort', {
      upper: outcome.tree.toJSON(),
    });
    const expected = spawnSync('/bin/sh', ['-c', 'find . -type f -exec cat {} +; find . | sort'], {
      cwd: copy,
      encoding: 'utf8',
    });
    const sorted = (text: string) => text.split('\n').sort().join('\n');
    expect(sorted(again.stdout)).toBe(sorted(expected.stdout));
  });
});

describe.each([64, 700, 32_768])('listings, with %i bytes', (size) => {
  const names = size < 100 ? 10 : 1500;
  test.each(['look', 'write', 'remove'])('%s', async (mode) => {
    const lower = lowerDirectory();
    mkdirSync(join(lower, 'many/sub'), { recursive: true });
    for (let i = 0; i < names; i++) writeFileSync(join(lower, `many/f${i}`), '');
    execFileSync('sh', ['-c', 'ln -s f1 many/link'], { cwd: lower });
    const listing = compile('processes/listing');
    const { stdout } = await inOverlay(lower, `echo > many/new; rm many/f3; ${listing} many ${size} ${mode}`);
    expect(stdout).toBe(`${names + 4} names, 0 wrong\n`);
    const above = await inOverlay(
      join(lower, 'many'),
      `${listing} .. ${size} look; ${listing} ../dir ${size} look`,
    );
    expect(above.stdout).toBe('11 names, 0 wrong\n5 names, 0 wrong\n');
  });
});

test('who is not root: what others own, and directories that nobody may write to', () => {
  const folder = mkdtempSync(join(tmpdir(), 'libcr-overlay-test-'));
  try {
    const uid = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const script = join(folder, 'script.mjs');
    const dist = join(import.meta.dirname, '../../../syscalls/dist/shims/overlay.js');
    writeFileSync(
      script,
      `import { spawn } from ${JSON.stringify(join(import.meta.dirname, '../../dist/spawn.js'))};
      import { overlay } from ${JSON.stringify(dist)};
      const lower = ${JSON.stringify(join(folder, 'lower'))};
      const tree = overlay({ lower });
      spawn('/bin/sh', ['-c', ${JSON.stringify('find . | sort; echo no > readonly/new; echo yes >> readonly/sub/file; mv readonly moved; cat moved/sub/file')}], { cwd: lower, shims: [tree], stdio: 'inherit' })
        .on('close', () => console.log(tree.changes().map(({ path, change }) => change + ' ' + path.slice(lower.length + 1)).join(', ')));`,
    );
    execFileSync(
      'sh',
      [
        '-c',
        `mkdir -p lower/readonly/sub lower/others; echo file > lower/readonly/sub/file; chmod 755 . lower; chmod 555 lower/readonly lower/readonly/sub; ${
          'uid' in uid ? 'chown -R 65534:65534 lower/readonly; chown 65534 lower;' : ''
        }`,
      ],
      { cwd: folder },
    );
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', script], {
      ...uid,
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^.*cannot create readonly\/new: Permission denied\n$/);
    expect(stdout).toBe(
      `.
./others
./readonly
./readonly/sub
./readonly/sub/file
file
yes
added moved, added moved/sub, added moved/sub/file, removed readonly
`,
    );
    expect(readdirSync(join(folder, 'lower'))).toEqual(['others', 'readonly']);
  } finally {
    execFileSync('chmod', ['-R', 'u+w', folder]);
    rmSync(folder, { recursive: true });
  }
});

test('what has become of it', async () => {
  const lower = lowerDirectory();
  const { tree } = await inOverlay(
    lower,
    'echo x >> a.txt; rm b.txt; mkdir new; echo n > new/n; chmod 600 dir/c.txt; mv dir/sub/d.txt dir/sub/f.txt; cat dir/sub/deep/e.txt; : >> run.sh',
  );
  expect(tree.changes().map(({ path, change }) => `${change} ${path.slice(lower.length + 1)}`)).toEqual([
    'changed a.txt',
    'removed b.txt',
    'attributes dir/c.txt',
    'removed dir/sub/d.txt',
    'added dir/sub/f.txt',
    'added new',
    'added new/n',
  ]);
  expect(tree.readFile(join(lower, 'a.txt'), 'utf8')).toBe('a\nx\n');
  expect(tree.exists(join(lower, 'b.txt'))).toBe(false);
  expect(tree.readdir(join(lower, 'dir/sub'))).toEqual(['deep', 'f.txt']);
});

test('one that has been changed before, at another place, over two layers, and from outside while it runs', async () => {
  const [lower, top] = [lowerDirectory(), lowerDirectory()];
  execFileSync(
    'sh',
    ['-c', 'rm -r a.txt dir empty run.sh link; echo top > b.txt; mkdir dir; echo t > dir/t'],
    { cwd: top },
  );
  const tree = overlay({
    lower: [top, lower],
    at: '/virtual/place',
    upper: { 'b.txt': 'upper\n', 'dir/c.txt': false },
  });
  const child = spawn(
    '/bin/sh',
    ['-c', 'cat b.txt a.txt; ls dir; pwd; ls /virtual; read go; cat said dir/t; ls dir; rm -r dir; ls'],
    {
      cwd: '/',
      env: { ...process.env, HOME: '/virtual/place' },
      stdio: ['pipe', 'pipe', 'inherit'],
      shims: [tree],
      argv0: 'sh',
    },
  );
  child.kill('SIGKILL');
  await once(child, 'close');
  const other = spawn(
    '/bin/sh',
    [
      '-c',
      'cd /virtual/place; cat b.txt a.txt; ls dir; pwd; ls /virtual; read go; cat said; ls dir; rm -r dir; ls',
    ],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      shims: [tree],
    },
  );
  let text = '';
  other.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    if (!text.endsWith('place\n') || other.stdin?.writableEnded) return;
    tree.writeFile('/virtual/place/said', 'said\n');
    tree.rm('/virtual/place/dir/t');
    other.stdin?.end('go\n');
  });
  await once(other, 'close');
  expect(text).toBe(
    [
      'upper',
      'a',
      'sub',
      't',
      'up',
      '/virtual/place',
      'place',
      'said',
      'sub',
      'up',
      'a.txt',
      'b.txt',
      'dangling',
      'empty',
      'link',
      'run.sh',
      'said',
      'whole',
      '',
    ].join('\n'),
  );
  expect(tree.exists('/virtual/place/dir')).toBe(false);
  expect(existsSync(join(lower, 'dir/c.txt'))).toBe(true);
});
