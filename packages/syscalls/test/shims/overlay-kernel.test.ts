/**
 * overlay-kernel.test.ts: an overlay and Linux' overlayfs: random sequences of the same operations, which must answer the same and leave the same trees. Where
 * overlayfs can't be mounted this is not run, which it says; overlay.test.ts holds what is the most important of it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../programs/memfs/overlay.mjs');
const seed = Number(process.env.LIBCR_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Whether this process may make a mount namespace and mount an overlay in it. */
function canMount(): boolean {
  const probe =
    'd=$(mktemp -d -p /dev/shm) && mkdir $d/l $d/u $d/w $d/m && ' +
    'mount -t overlay overlay -o lowerdir=$d/l,upperdir=$d/u,workdir=$d/w,index=on,redirect_dir=on $d/m; r=$?; ' +
    'umount $d/m 2>/dev/null; rm -r $d; exit $r';
  return process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'sh', '-c', probe]).status === 0;
}

const on = canMount();
if (!on) console.log('overlayfs cannot be mounted here: the overlay is not compared with it');

test.skipIf(!on)("as Linux' overlayfs", () => {
  console.log(`LIBCR_SEED=${seed}`);
  const args = ['-m', process.execPath, SCRIPT, '/dev/shm', String(seed), '40', '80'];
  expect(execFileSync('unshare', args, { encoding: 'utf8', timeout: 250_000 })).toMatch(
    /^\d+ kinds of operations\nthe same: /,
  );
});
