/**
 * conformance.test.ts: what the standard says of each object, one behaviour a test. The cases are in programs/objects/.
 */
import { describe } from 'vitest';
import { conformance } from './run.ts';

describe('mutexes', () => conformance('mutex.mjs'));
describe('condition variables', () => conformance('cond.mjs'));
describe('read-write locks', () => conformance('rwlock.mjs'));
describe('semaphores, barriers, spin locks', () => conformance('semaphore.mjs'));
describe('threads', () => conformance('pthread.mjs'));
