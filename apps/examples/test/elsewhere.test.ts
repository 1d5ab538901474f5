/** elsewhere.test.ts: the sums of a folder that another process serves, by a NATS server, against node:crypto's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasServer, NatsServer } from '../../../packages/nats/test/nats-server.ts';
import { cli } from '../../lwkt/test/lwkt.ts';

const at = (file: string): string => fileURLToPath(new URL(`../elsewhere/${file}`, import.meta.url));
const server = new NatsServer();
const tree = mkdtempSync(join(tmpdir(), 'elsewhere-'));
let serving: ChildProcess | undefined;

const start = (file: string, ...args: string[]): ChildProcess =>
  spawn(process.execPath, [cli, 'run', at(file), ...args], { env: { ...process.env, NATS_URL: server.url } });

async function printed(child: ChildProcess): Promise<{ status: number; stdout: string; stderr: string }> {
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.setEncoding('latin1').on('data', (more: string) => {
      texts[stream] += more;
    });
  const [status] = (await once(child, 'close')) as [number];
  return { status, ...texts };
}

beforeAll(async () => {
  if (!hasServer) return;
  await server.start();
  mkdirSync(join(tree, 'below'));
  writeFileSync(join(tree, 'large'), Buffer.alloc(1_500_000, 'x'));
  writeFileSync(join(tree, 'below', 'small'), 'small');
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/not utf-8 `), Buffer.from([0xff])]), 'odd');
  symlinkSync('/etc/passwd', join(tree, 'link'));
  serving = start('serve.ts', tree);
  await once(serving.stdout as NodeJS.ReadableStream, 'data');
}, 60_000);
afterAll(async () => {
  serving?.kill('SIGKILL');
  await server.kill();
  rmSync(tree, { recursive: true });
});

const digest = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

describe.skipIf(!hasServer)('elsewhere', () => {
  test('the sums of all files there', async () => {
    const { status, stdout, stderr } = await printed(start('sum.ts', tree));
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n').sort()).toEqual(
      [
        `${digest('small')}  ${tree}/below/small`,
        `${digest(Buffer.alloc(1_500_000, 'x'))}  ${tree}/large`,
        `${digest('odd')}  ${tree}/not utf-8 \xff`,
      ].sort(),
    );
    expect(status).toBe(0);
  });

  test('the policy is there: nothing else is read', async () => {
    const { status, stdout, stderr } = await printed(start('sum.ts', '/etc'));
    expect(stdout).toBe('');
    expect(stderr).toContain('ermission denied');
    expect(status).toBe(1);
  });

  test('two programs of Linux at once, by a shim', async () => {
    const program = (text: string): ChildProcess =>
      spawn(process.execPath, [cli, 'run', '--shim', at('mount.ts'), '--', 'sh', '-c', text], {
        env: { ...process.env, NATS_URL: server.url },
      });
    const far = `/elsewhere${tree}`;
    const both = await Promise.all([
      printed(program(`sha256sum < ${far}/large; cat ${far}/below/small`)),
      printed(
        program(
          `cd /; find ${far} -type f | wc -l; echo x > ${far}/new; cat ${far}/link; rm ${far}/large; dd if=/dev/zero of=${far}/large conv=notrunc,nocreat count=1`,
        ),
      ),
    ]);
    expect(both[0]).toEqual({
      status: 0,
      stdout: `${digest(Buffer.alloc(1_500_000, 'x'))}  -\nsmall`,
      stderr: '',
    });
    const [, { stdout, stderr }] = both;
    expect(stdout).toBe('3\n'); // nothing is written, removed, or read by a link that leads out
    expect(stderr.match(/Permission denied/g)).toHaveLength(4);
    expect(readFileSync(join(tree, 'large'))).toEqual(Buffer.alloc(1_500_000, 'x'));
  });
});
