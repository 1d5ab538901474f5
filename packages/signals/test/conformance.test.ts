/**
 * conformance.test.ts: what the standard says of signals, one behaviour a test. The cases are in programs/.
 */
import { describe } from 'vitest';
import { conformance } from './run.ts';

describe('actions and sending', () => conformance('action.mjs'));
describe('masks', () => conformance('mask.mjs'));
describe('waiting', () => conformance('wait.mjs'));
describe('system calls', () => conformance('calls.mjs'));
describe('system calls where there is no ring', () =>
  conformance('calls.mjs', { env: { LIBCR_SYSCALLS_PATH: 'readiness' } }));
describe('timers', () => conformance('timers.mjs'));
describe('signals(), abortOn(), onsignal()', () => conformance('subscribe.mjs'));
