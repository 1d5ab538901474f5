// Step 3 of the tour: a shim that refuses a file, and what it costs the calls that it lets pass.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@libcr/core';
import { constants, defineShim, sys } from '@libcr/syscalls';

const OPENS = 5000;
const ROUNDS = 5;

// tour: begin
const guard = defineShim({
  name: 'no-secrets',
  on: ['open'],
  shim: (next) => (msg) => (msg.path.endsWith('/secret') ? -constants.EACCES : next(msg)),
});
const guarded = (main) => run(main, { syscallPort: sys.with(guard) });
// tour: end

function open(path) {
  try {
    const fd = sys.open(path);
    sys.close(fd);
    return 'opened';
  } catch (error) {
    return error.message.replace(folder, '…');
  }
}

/** Microseconds for an open and a close, the best of some rounds. */
function microseconds() {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < OPENS; i++) sys.close(sys.open(plain));
    best = Math.min(best, ((performance.now() - start) * 1000) / OPENS);
  }
  return best;
}

const folder = mkdtempSync(join(tmpdir(), 'libcr-tour-'));
const plain = join(folder, 'plain');
const secret = join(folder, 'secret');
try {
  for (const path of [plain, secret]) writeFileSync(path, '');
  const without = await run(() => open(secret));
  const refused = await guarded(() => open(secret));
  if (
    without !== 'opened' ||
    !refused.startsWith('EACCES') ||
    (await guarded(() => open(plain))) !== 'opened'
  )
    throw new Error(`without the shim: ${without}; with it: ${refused}`);
  console.log(`/secret without the shim  ${without}`);
  console.log(`/secret with it           ${refused}`);
  await run(microseconds); // warm
  const before = await run(microseconds);
  const after = await guarded(microseconds);
  console.log(
    `/plain, open and close    ${after.toFixed(2)} µs through the shim, ${before.toFixed(2)} µs without`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
