// Run by a Node that has no symbol table. See preempt.test.ts.
import { create, sleep } from '@libcr/core';
import { native } from '@libcr/core/internal';

const sleeper = (i) => () => {
  sleep(i % 3);
  return i;
};
const tds = Array.from({ length: 10 }, (_, i) => create(sleeper(i)));
let sum = 0;
for (const td of tds) sum += await td.finished;
let code;
try {
  create(() => {}, { preemptible: true });
} catch (error) {
  code = error.code;
}
console.log(JSON.stringify({ way: native.threadWords, sum, code }));
