// Messages to another rfork and their answers, 64 under way at each moment: nanoseconds for one. With "object" each carries a small object,
// else a number.
import { curthread, Msg, Rfork, run } from '@libcr/core';
import { sampleBlocking } from '../../sample.mjs';

const MESSAGES = 20_000;
const IN_FLIGHT = 64;
const payload = process.argv[2] === 'object' ? { id: 1, name: 'x', list: [1, 2, 3] } : 1;
const rfork = new Rfork(new URL('./echo-main.mjs', import.meta.url));

await run(() => {
  const mine = curthread().port;
  const messages = Array.from({ length: IN_FLIGHT }, () => new Msg(payload));
  sampleBlocking(MESSAGES, () => {
    for (const msg of messages) rfork.port.sendmsg(msg);
    for (let i = IN_FLIGHT; i < MESSAGES; i++) rfork.port.sendmsg(mine.waitport());
    for (let i = 0; i < IN_FLIGHT; i++) mine.waitport();
  });
});
rfork.port.close();
