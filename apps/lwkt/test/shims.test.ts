/**
 * shims.test.ts: --shim, --trace and `lwkt trace`, over a script with three system calls of which one fails.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cli, fixture, lwkt } from './lwkt.ts';

const script = fixture('system-calls.ts');
const scratch = mkdtempSync(join(tmpdir(), 'lwkt-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What each of the script's calls looks like, in order. */
const LINES = [
  /^1 +open\("\/dev\/null", O_RDONLY\|O_CLOEXEC\) += \d+ <\d+\.\d{6}>$/,
  /^1 +open\("\/does\/not\/exist", O_RDONLY\) += -1 ENOENT \(No such file or directory\) <\d+\.\d{6}>$/,
  /^1 +close\(\d+\) += 0 <\d+\.\d{6}>$/,
];

function expectLines(lines: string[]): void {
  expect(lines).toHaveLength(LINES.length);
  for (const [i, line] of lines.entries()) expect(line).toMatch(LINES[i] as RegExp);
}

describe('--shim', () => {
  test('TypeScript, default export', async () => {
    const { stderr, status } = await lwkt(['run', '--shim', fixture('shims/deny.ts'), script]);
    expect(stderr).toMatch(/ENOENT: no such file or directory, open '\/dev\/null'/);
    expect(status).toBe(1);
  });

  test('an export named shim', async () => {
    const result = await lwkt(['run', `--shim=${fixture('shims/named.mjs')}`, script]);
    expect(result).toMatchObject({ stdout: 'ENOENT\nnamed: close\n', stderr: '', status: 0 });
  });

  test('an array, and more than one file: the first is outermost', async () => {
    const files = ['shims/named.mjs', 'shims/several.cjs'].flatMap((name) => ['--shim', fixture(name)]);
    const { stdout, status } = await lwkt(['run', ...files, script]);
    expect(stdout).toBe('ENOENT\nnamed: close\nfirst: close\nsecond: close\n');
    expect(status).toBe(0);
  });

  test.each([
    ['no-such.ts', /^lwkt: cannot find the shim file .*no-such\.ts\n$/],
    ['shims/none.mjs', /^lwkt: .*none\.mjs exports no shim: .*\n$/],
    ['shims/throws.mjs', /^lwkt: cannot load the shim file .*throws\.mjs: no luck\n$/],
  ])('%s: one line, status 1, and the script does not run', async (name, line) => {
    const { stdout, stderr, status } = await lwkt(['run', '--shim', fixture(name), script]);
    expect(stderr).toMatch(line);
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });
});

describe('--shim NAME, --config', () => {
  test.each([
    [
      'policy:[{"action":"deny","on":["open"],"path":"/dev/**"}]',
      /EACCES: permission denied, open '\/dev\/null'/,
    ],
    [`policy:${fixture('shims/rules.json')}`, /EPERM: operation not permitted, open '\/dev\/null'/],
    ['fault:[{"on":["open"],"nth":1,"errno":"EMFILE"}]', /EMFILE: too many open files, open '\/dev\/null'/],
  ])('%s', async (spec, error) => {
    const { stderr, status } = await lwkt(['run', '--shim', spec, script]);
    expect(stderr).toMatch(error);
    expect(status).toBe(1);
  });

  test('a short value; the first is outermost; a configuration is outside of all', async () => {
    const file = join(scratch, 'metrics.prom');
    const config = join(scratch, 'config.json');
    const named = JSON.stringify(fixture('shims/named.mjs'));
    writeFileSync(config, `{ "shims": [${named}] }`);
    const args = ['--shim', `metrics:${file}`, '--shim', 'latency:1', `--config=${config}`];
    const { stdout, stderr, status } = await lwkt(['run', ...args, script]);
    expect({ stdout, stderr, status }).toEqual({ stdout: 'ENOENT\nnamed: close\n', stderr: '', status: 0 });
    expect(readFileSync(file, 'utf8')).toContain('libcr_syscalls_total{call="open",outcome="ENOENT"} 1');
  });

  test('metrics without a file: a table on stderr, what took longest first', async () => {
    for (const program of [[script], ['--', 'cat', '/does/not/exist', '/dev/null']]) {
      const { stdout, stderr } = await lwkt(['run', '--shim', 'metrics', ...program]);
      const [head, rule, ...lines] = stderr.split('\n').filter((line) => !line.startsWith('cat: '));
      expect(head).toBe('% time     seconds  usecs/call     calls    errors syscall');
      expect(stdout).toBe(program.length === 1 ? 'ENOENT\n' : '');
      expect(lines.pop()).toBe('');
      expect(lines.splice(-2, 1)).toEqual([rule]);
      const rows = lines.map((line) =>
        /^ *\d+\.\d\d +(\d+\.\d{6}) +(?:\d+ +)?(\d+) {1,9}([ \d]{8}) (\w+)$/.exec(line)?.slice(1),
      );
      expect(rows.at(-1)?.[3]).toBe('total');
      expect(rows.find((row) => /^open(at)?$/.test(row?.[3] ?? ''))?.[2]).toMatch(/[1-9]/);
      const seconds = rows.slice(0, -1).map((row) => Number(row?.[0]));
      expect(seconds).toEqual(seconds.toSorted((a, b) => b - a));
      const sum = rows.slice(0, -1).reduce((all, row) => all + Number(row?.[1]), 0);
      expect(sum).toBe(Number(rows.at(-1)?.[1]));
    }
  });

  test.each([
    ['latency:-1', /^lwkt: --shim latency: The value of "rules\[0\]\.ms" is out of range\..*\n$/],
    ['policy:{', /^lwkt: --shim policy:\{: .*JSON.*\n$/],
    ['policy:none.json', /^lwkt: --shim policy:none\.json: ENOENT.*\n$/],
    ['policy', /^lwkt: --shim policy: needs a list of rules, as .*\n$/],
    ['memfs:/tmp', /^lwkt: --shim memfs: needs options with "tree", as .*\n$/],
    ['latency:x', /^lwkt: --shim latency: .* must be a number of milliseconds, or a distribution\..*\n$/],
    ['metrcis', /^lwkt: cannot find the shim file .*\/metrcis\n$/],
  ])('--shim %s: one line, status 1', async (spec, line) => {
    const { stdout, stderr, status } = await lwkt(['run', '--shim', spec, script]);
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toMatch(line);
  });

  test('--config with an error in it: one line, status 1', async () => {
    const config = join(scratch, 'bad.json');
    writeFileSync(config, '{ "shims": ["metrcis"] }');
    const { stderr, status } = await lwkt(['run', '--config', config, script]);
    expect(stderr).toMatch(/^lwkt: .*bad\.json: shims\[0\]: there is no ready-made shim "metrcis".*\n$/);
    expect(status).toBe(1);
  });

  test('rforks have the shims, too, and write into the same trace', async () => {
    const trace = join(scratch, 'rforks.trace');
    const args = ['--shim', 'policy:[{"action":"deny","on":["open"],"path":"/dev/**"}]', `--trace=${trace}`];
    const result = await lwkt(['run', ...args, fixture('module/opens.ts')]);
    expect(result).toMatchObject({ stdout: 'main EACCES\nrfork EACCES\n', stderr: '', status: 0 });
    expect(readFileSync(trace, 'utf8').match(/open\("\/dev\/null".*EACCES/g)).toHaveLength(2);
  });
});

test('relative paths of the command line begin where it was given, for rforks too', async () => {
  writeFileSync(join(scratch, 'rules.json'), '[{"action":"deny","on":["open"],"path":"/dev/**"}]');
  const args = ['run', '--shim', 'metrics:moved.prom', '--shim', 'policy:rules.json'];
  const result = await lwkt([...args, fixture('module/moves.ts')], { cwd: scratch });
  expect(result).toMatchObject({ stdout: 'main EACCES\nrfork EACCES\n', stderr: '', status: 0 });
  expect(readFileSync(join(scratch, 'moved.prom'), 'utf8')).toContain('EACCES');
});

describe('--trace', () => {
  test('to stderr', async () => {
    const { stdout, stderr, status } = await lwkt(['run', '--trace', script]);
    expectLines(stderr.trimEnd().split('\n'));
    expect(stdout).toBe('ENOENT\n');
    expect(status).toBe(0);
  });

  test('to a file', async () => {
    const file = join(scratch, 'trace.txt');
    const { stderr, status } = await lwkt(['run', `--trace=${file}`, script]);
    expectLines(readFileSync(file, 'utf8').trimEnd().split('\n'));
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('shows what a shim answered', async () => {
    const { stderr } = await lwkt(['run', '--trace', '--shim', fixture('shims/deny.ts'), script]);
    expect(stderr).toMatch(/"\/dev\/null".* += -1 ENOENT/);
  });

  // TypeScript and JavaScript: tsx has a worker, and Node treats a broken stderr in another way then.
  test.each([script, fixture('system-calls.mjs')])('to a full disk as stderr: %s runs', async (program) => {
    const command = ['bash', '-c', 'exec "$0" "$@" 2>/dev/full', process.execPath, cli];
    for (const args of [['run', '--trace'], ['trace']])
      expect(await lwkt([...args, program], { command })).toMatchObject({ stdout: 'ENOENT\n', status: 0 });
  });

  test.each([
    ['run', '--trace=/dev/full'],
    ['trace', '-o/dev/full'],
  ])('to a full disk: lwkt %s %s warns once', async (...args) => {
    const { stdout, stderr, status } = await lwkt([...args, script]);
    expect([status, stdout]).toEqual([0, 'ENOENT\n']);
    expect(stderr.match(/LIBCR_TRACE/g)).toHaveLength(1);
    expect(stderr).toContain('cannot write the trace to /dev/full: ENOSPC');
  });

  test('a table on a full disk, of no calls: a warning, and the script’s status', async () => {
    const { stderr, status } = await lwkt(['trace', '-o', '/dev/full', fixture('commonjs/exit.cjs')]);
    expect(stderr.match(/LIBCR_TRACE/g)).toHaveLength(1);
    expect(stderr).toContain('cannot write the table to /dev/full: ENOSPC');
    expect(status).toBe(7);
  });

  test('to a file that cannot be', async () => {
    const { stderr, status } = await lwkt(['run', `--trace=${scratch}/no/such`, script]);
    expect(stderr).toMatch(/^lwkt: cannot write the trace: ENOENT.*\n$/);
    expect(status).toBe(1);
  });
});

describe('lwkt trace', () => {
  /** The table's rows as [calls, errors] by name; the columns are strace's. */
  function table(lines: string[]): Record<string, [number, number]> {
    const rows = lines.filter((line) => /^ *\d/.test(line));
    return Object.fromEntries(
      rows.map((row) => [row.slice(51), [Number(row.slice(31, 40)), Number(row.slice(41, 50))]]),
    );
  }

  function check(text: string): void {
    const lines = text.trimEnd().split('\n');
    expectLines(lines.slice(0, LINES.length));
    expect(lines[LINES.length]).toMatch(/^% time +seconds +usecs\/call +calls +errors syscall$/);
    const rows = table(lines.slice(LINES.length + 1));
    expect(rows.open).toEqual([2, 1]);
    expect(rows.close).toEqual([1, 0]);
    expect(rows.total).toEqual([3, 1]);
  }

  test('calls and a table on stderr', async () => {
    const { stdout, stderr, status } = await lwkt(['trace', script]);
    check(stderr);
    expect(stdout).toBe('ENOENT\n');
    expect(status).toBe(0);
  });

  test('-o: both in a file', async () => {
    const file = join(scratch, 'table.txt');
    const { stderr, status } = await lwkt(['trace', '-o', file, script]);
    check(readFileSync(file, 'utf8'));
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('the exit status is the script’s', async () => {
    const { status, stderr } = await lwkt(['trace', fixture('commonjs/exit.cjs')]);
    expect(stderr).toMatch(/syscall\n(.*\n)*.* total\n$/);
    expect(status).toBe(7);
  });
});
