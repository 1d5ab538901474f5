/** many.test.ts: a hundred thousand threads at once in one program, with stacks of 64 KiB: no limit of the kernel's for threads, tids or mappings is in the way. */
import { readFileSync } from 'node:fs';
import { freemem, release } from 'node:os';
import { expect, test } from 'vitest';
import { compile, underLibcr } from '../programs.ts';

const MANY = 100_000;
const MEMORY = 3e9; // bytes: half of it is used
const TIMEOUT = 600_000; // ms; some ten seconds, where nothing else is done
const MAPPINGS = 3 * MANY; // where a guard page is a mapping of its own

const [major = 0, minor = 0] = release().split('.').map(Number);
const hasGuardPages = major > 6 || (major === 6 && minor >= 13); // MADV_GUARD_INSTALL

test.for([
  [1, 10_000],
  [2, MANY],
] as const)('%i rforks, %i threads', { timeout: TIMEOUT }, async ([rforks, many], { skip }) => {
  if (freemem() < MEMORY) skip(`${MEMORY} bytes of memory are wanted, and ${freemem()} are free`);
  const maximum = Number(readFileSync('/proc/sys/vm/max_map_count', 'utf8'));
  if (!hasGuardPages && maximum < MAPPINGS)
    skip(`Linux ${release()} has vm.max_map_count ${maximum}; before 6.13 each kernel stack takes two`);
  const { status, stdout, stderr } = await underLibcr(compile('threads/many'), [String(many)], {
    options: [`--rforks=${rforks}`],
    timeout: TIMEOUT,
  });
  console.log(`${rforks} rforks: ${stderr}`);
  expect(stdout).toBe(`${many} at once, ${many} left, ${many} joined\n`);
  expect(status).toBe(0);
});
