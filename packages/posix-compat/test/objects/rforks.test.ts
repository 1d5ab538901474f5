/**
 * rforks.test.ts: objects in shared memory, for threads of several rforks and for plain Workers.
 */
import { describe } from 'vitest';
import { conformance } from './run.ts';

describe('between rforks', () => conformance('rforks.mjs'));
