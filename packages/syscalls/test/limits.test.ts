/** limits.test.ts: a full disk, and no descriptor left: clear errors, and everything works again when there is room. Each in a process of its own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from './support.ts';

const mounts = spawnSync('unshare', ['--mount', 'true']).status === 0;
if (!mounts) console.log('no small file system can be mounted here: the full disk is not tested');

test.skipIf(!mounts)('a full disk', () => {
  // In a mount namespace of its own: what is mounted is gone with the process.
  const program = join(import.meta.dirname, 'programs', 'limits.mjs');
  const { stdout, stderr, status } = spawnSync('unshare', ['--mount', process.execPath, program, 'disk'], {
    encoding: 'utf8',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const ENOSPC = 'ENOSPC: no space left on device, write';
  expect(JSON.parse(stdout)).toEqual({
    pages: 16,
    full: ENOSPC,
    large: 16,
    several: [ENOSPC, ENOSPC, ENOSPC],
    used: 16,
    again: 4096,
  });
});

test('no descriptor left', async () => {
  const { stdout, stderr, status } = await runProgram('limits.mjs', 'descriptors');
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const EMFILE = (call: string): string => `EMFILE: too many open files, ${call}`;
  expect(JSON.parse(stdout)).toEqual({
    full: EMFILE("open '/dev/null'"),
    others: [EMFILE('pipe2'), EMFILE('socket'), EMFILE('dup'), EMFILE('epoll_create1')],
    read: 0,
    again: 1,
    synced: true,
  });
});
