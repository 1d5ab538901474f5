/**
 * node.test.ts: signals beside what Node does with them, and on several rforks. The cases are in programs/.
 */
import { describe } from 'vitest';
import { conformance } from './run.ts';

describe('Node', () => conformance('node.mjs'));
describe('rforks', () => conformance('rforks.mjs'));
