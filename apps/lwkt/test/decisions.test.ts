/** decisions.test.ts: a run's decisions as `lwkt explore` says them. */
import { expect, test } from 'vitest';
import { readDecisions, sentences } from '../src/explore/decisions.ts';

test('each kind of decision has its sentence', () => {
  const log = [
    '2.3=1 futex',
    '2.3:1=0 exit',
    '2.3+4=3 0x10',
    '2.3+4/50=3 0x10',
    '7@2.3+0/50=time 0x10',
    '2.3=time futex',
    '2.3+4=3 /no such/library.so+0x10',
    '',
  ].join('\n');
  expect(sentences('/nosuch', readDecisions(log))).toEqual([
    'thread 2 is about to call futex: thread 1',
    'thread 2 waits in exit: one that ends',
    'thread 2 is interrupted at 0x10, after 4 instructions: thread 3',
    'thread 2 is interrupted at 0x10, after 4 instructions and 50 pages of code: thread 3',
    'thread 2 of process 7 is interrupted at 0x10, after 0 instructions and 50 pages of code: time moves to the first timer',
    'thread 2 is about to call futex: time moves to the first timer',
    'thread 2 is interrupted at /no such/library.so+0x10, after 4 instructions: thread 3',
  ]);
});
