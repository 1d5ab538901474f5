/** limits.test.ts: many connections, and no descriptors left: in processes of their own, with limits of their own. */
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const execute = promisify(execFile);
const programs = (name: string): string => join(import.meta.dirname, '..', 'programs', name);
const MINUTES = 600_000;
const WANTED = 10_000;
/** What a process has open besides connections. */
const OTHERS = 200;

const hardLimit = (): number => {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? Infinity : Number(limit); // Node raises its own limit to this one
};

test(
  '10,000 connections to an echo server of userthreads',
  async () => {
    const count = Math.min(WANTED, hardLimit() - OTHERS);
    if (count < WANTED)
      console.log(`only ${count} connections: the hard limit of descriptors (ulimit -Hn) allows no more`);
    const args = [programs('net-many.mjs'), 'clients', String(count)];
    const { stdout, stderr } = await execute(process.execPath, args, {
      timeout: MINUTES,
      killSignal: 'SIGKILL',
    });
    expect([stdout, stderr]).toEqual([
      `${count} of ${count} were answered; ${count} at once; status 0\n`,
      '',
    ]);
  },
  MINUTES,
);

test('EMFILE: accept() says so, and gets the connection afterwards; serve() goes on by itself', () => {
  const command = ['-c', 'ulimit -n 64; exec "$0" "$1"', process.execPath, programs('net-exhausted.mjs')];
  const stdout = execFileSync('sh', command, { encoding: 'utf8', timeout: 250_000 });
  expect(stdout).toBe(
    'accept EMFILE {"errno":-24,"code":"EMFILE","syscall":"accept"}\n' +
      "at last\nserved Set(1) { 'EMFILE' }\n",
  );
});
