/** programs.test.ts: a file system in memory that one process has, served to others: to programs of JavaScript, and to those of Linux, before which mount() is a shim. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { spawn as spawnProgram } from '@libcr/posix-compat/spawn';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mount, type Remote, remote } from '../src/syscalls/index.ts';
import { hasServer, twoHosts } from './two-hosts.ts';

const hosts = twoHosts();
const NAME = 'files';
const LIMIT = { timeout: 60_000 };
let server: ChildProcess;

interface Left {
  sessions: number;
  descriptors: number;
  files: Record<string, string | null>;
}

const file = (name: string): string => join(import.meta.dirname, 'programs', name);

async function output(child: Pick<ChildProcess, 'stdout' | 'stderr' | 'once'>): Promise<string> {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
  await once(child as ChildProcess, 'close');
  return text;
}

/** A program of JavaScript, by its own process. */
const script = (...args: string[]): Promise<string> =>
  output(
    spawn(process.execPath, [file('files-client.mjs'), hosts.server.url, NAME, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );

/** A program of Linux', with the others' files below /far: a supervisor and a connection of its own. */
class Far {
  private readonly nc: NatsConnection;
  readonly files: Remote;

  constructor(nc: NatsConnection) {
    this.nc = nc;
    this.files = remote(this.nc, NAME);
  }

  shell(text: string): Promise<string> {
    return output(
      spawnProgram('sh', ['-c', text], {
        shims: [mount('/far', this.files)],
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }
}

async function left(): Promise<Left> {
  server.stdin?.write('left\n');
  const [line] = (await once(server.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return JSON.parse(String(line)) as Left;
}

/** Until what is over has been noticed there. */
async function eventually(ready: (now: Left) => boolean): Promise<Left> {
  for (;;) {
    const now = await left();
    if (ready(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

beforeAll(async () => {
  if (!hasServer) return;
  server = spawn(process.execPath, [file('files-server.mjs'), hosts.server.url, NAME], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(server.stdout as NodeJS.ReadableStream, 'data');
}, 60_000);
afterAll(() => {
  server?.kill('SIGKILL');
});

describe.skipIf(!hasServer)('a file system in memory, served by one process', () => {
  test('to two programs of JavaScript', LIMIT, async () => {
    expect(await Promise.all([script('/shared/log', 'one\n'), script('/shared/log', 'two\n')])).toEqual([
      '\n',
      '\n',
    ]);
    const read = await script('/shared/log');
    expect(read.trim().split('\n').sort()).toEqual(['one', 'two']);
    // What they had open is closed with them.
    expect(await eventually(({ sessions }) => sessions === 0)).toMatchObject({ descriptors: 0 });
  });

  test('to two programs of Linux, and their children', LIMIT, async () => {
    const [one, two] = [new Far(hosts.here), new Far(hosts.there)];
    expect(await one.shell('echo from one > /far/shared/note; cat /far/shared/motd')).toBe('elsewhere\n');
    expect(await two.shell('cat < /far/shared/note; echo from two >> /far/shared/note')).toBe('from one\n');
    expect(await one.shell('(cat; echo sub) < /far/shared/note')).toBe('from one\nfrom two\nsub\n');
    const both = [one, two].map((each, i) =>
      each.shell(`i=0; while [ $i -lt 20 ]; do echo ${i} >> /far/shared/lines; i=$((i+1)); done`),
    );
    await Promise.all(both);
    const { files } = await left();
    expect((files['/shared/lines'] as string).split('\n').sort().join('')).toBe(
      '0'.repeat(20) + '1'.repeat(20),
    );
    for (const { files } of [one, two]) files.close();
    await eventually(({ sessions }) => sessions === 0);
  });

  test('descriptors are copied, inherited and closed as all are', LIMIT, async () => {
    const far = new Far(hosts.here);
    expect(
      await far.shell(`
        exec 7< /far/shared/motd; exec 8<&7; exec 7<&-
        cat <&8
        exec 9> /far/shared/out; (echo child; exec sh -c 'echo grandchild') >&9; exec 9>&-
        cat /far/shared/out; head -c 5 /far/shared/motd; echo; ls /far/shared | grep -c o
        mkdir /far/shared/d; mv /far/shared/out /far/shared/d/moved; cat /far/shared/d/moved; rm -r /far/shared/d
        cp /far/shared/motd /far/shared/copy; cmp /far/shared/motd /far/shared/copy && echo same; rm /far/shared/copy
      `),
    ).toBe('elsewhere\nchild\ngrandchild\nelsew\n4\nchild\ngrandchild\nsame\n');
    expect(await eventually(({ descriptors }) => descriptors === 0)).toMatchObject({ sessions: 1 });
    // Also when their program is killed.
    await far.shell('exec 7< /far/shared/motd; kill -9 $$');
    await eventually(({ descriptors }) => descriptors === 0);
    far.files.close();
  });

  test('what can not be done there says so', LIMIT, async () => {
    const far = new Far(hosts.here);
    expect(await far.shell('cd /far/shared 2>/dev/null || echo no folder to be in; pwd')).toContain(
      'no folder',
    );
    expect(await far.shell('/far/shared/motd 2>/dev/null || echo $?')).toBe('126\n');
    expect(await far.shell('ln /far/shared/motd /tmp/x 2>&1')).toContain('Invalid cross-device link');
    expect(await far.shell('cat /far/none; cat /far/../etc/hostname > /dev/null && echo ours')).toMatch(
      /none: No such file or directory\nours/,
    );
    far.files.close();
  });
});
