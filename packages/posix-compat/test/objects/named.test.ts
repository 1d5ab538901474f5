/**
 * named.test.ts: named semaphores, shared with a C program that is compiled here.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { conformance } from './run.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const program = here('../../build-test/named-semaphore');
mkdirSync(here('../../build-test'), { recursive: true });
execFileSync('cc', [
  '-O2',
  '-Wall',
  '-o',
  program,
  here('../programs/objects/named-semaphore.c'),
  '-pthread',
]);

describe('named semaphores', () =>
  conformance('named.mjs', { env: { LIBCR_SEM_C: program }, flags: ['--expose-gc'] }));
