/**
 * recording.test.ts: `lwkt record` and `lwkt replay`: the same output with the network and the clock gone, and what is said where a program does
 * something else.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { fixture, lwkt } from './lwkt.ts';

const script = fixture('module/recorded.ts');
const scratch = mkdtempSync(join(tmpdir(), 'lwkt-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const recording = join(scratch, 'recording');

/** Records the script; the answer is what it has printed. */
async function record(...args: string[]): Promise<string> {
  const { stdout, stderr, status } = await lwkt(['record', '-o', recording, script, ...args]);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout;
}

test('the same output, with server and clock gone', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on('data', (data) => socket.end(`${connections} ${data}`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stdout = await record(String(port), 'and', 'more');
  expect(stdout).toContain('1 hello and more\n');
  await new Promise((resolve) => server.close(resolve));
  // Without the server, and with the arguments that were recorded.
  expect(await lwkt(['replay', recording])).toMatchObject({ stdout, stderr: '', status: 0 });
  expect(await lwkt(['replay', recording, script, String(port), 'other'])).toMatchObject({
    stdout: stdout.replace('and more', 'other'),
    status: 0,
  });
  expect(connections).toBe(1);
});

test('the first call that differs is reported, and ends it', async () => {
  await record();
  const other = fixture('module/recorded-other.tmp.ts');
  writeFileSync(other, readFileSync(script, 'utf8').replace('/proc/uptime', '/proc/version'));
  const { stderr, status } = await lwkt(['replay', recording, other]);
  rmSync(other);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^lwkt: replay: .*recorded-other\.tmp\.ts has changed since .*recorded\.ts was recorded\n/,
  );
  expect(stderr).toContain('  recorded: open("/proc/uptime", O_RDONLY) = ');
  expect(stderr).toContain('  made:     open("/proc/version", O_RDONLY)\n');
  expect(stderr.match(/does not do what was recorded/g)).toHaveLength(1);
});

test('a recording that is cut off, or is none', async () => {
  await record();
  const lines = readFileSync(recording, 'utf8').split('\n');
  const cut = join(scratch, 'cut');
  writeFileSync(cut, lines.slice(0, -2).join('\n'));
  const whole = await lwkt(['replay', cut]);
  expect(whole).toMatchObject({
    stdout: '',
    status: 1,
    stderr: expect.stringMatching(/^lwkt: cannot replay: .* is cut off/),
  });
  expect((await lwkt(['replay', '--partial', cut])).stdout).toContain('ENOENT: no such file');
  for (const file of [script, join(scratch, 'none')])
    expect(await lwkt(['replay', file])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^lwkt: cannot replay: .*\n$/),
    });
});

test("a script's, packed by gzip", async () => {
  const stdout = await record();
  writeFileSync(`${recording}.script.gz`, gzipSync(readFileSync(recording)));
  expect(await lwkt(['replay', `${recording}.script.gz`])).toMatchObject({ stdout, stderr: '', status: 0 });
});

test('where it is written: beside the working directory; and a file that cannot be', async () => {
  expect(await lwkt(['record', script], { cwd: scratch })).toMatchObject({ status: 0, stderr: '' });
  expect(readFileSync(join(scratch, 'recorded.recording'), 'utf8')).toMatch(/^\{"recording":"libcr"/);
  expect(await lwkt(['record', '-o', '/none/file', script])).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringMatching(/^lwkt: cannot record: ENOENT/),
  });
});

test('a program, packed by gzip, too', async () => {
  const { stdout, status } = await lwkt(['record', '-o', recording, '--', 'date', '+%s.%N']);
  expect(status).toBe(0);
  expect(await lwkt(['replay', recording])).toMatchObject({ stdout, stderr: '', status: 0 });
  writeFileSync(`${recording}.gz`, gzipSync(readFileSync(recording)));
  expect(await lwkt(['replay', `${recording}.gz`])).toMatchObject({ stdout, stderr: '', status: 0 });
  expect((await lwkt(['replay', recording, '--', '/bin/echo'])).status).toBe(125);
  const packed = gzipSync(readFileSync(recording));
  packed.subarray(-8).fill(0); // its checksum
  writeFileSync(`${recording}.gz`, packed);
  expect(await lwkt(['replay', `${recording}.gz`])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^lwkt: cannot replay: .* cannot be unpacked: /),
  });
});

test('what is for scripts only is refused for a program', async () => {
  expect(await lwkt(['record', '--shim', 'trace', '-o', recording, '--', 'date'])).toMatchObject({
    stderr: 'lwkt: record: option --shim is for scripts; see lwkt --help\n',
    status: 2,
  });
});
