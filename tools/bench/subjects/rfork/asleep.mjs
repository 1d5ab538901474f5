// A message to another rfork and its answer, when both event loops have been asleep for two milliseconds: nanoseconds from send to answer.
import { Msg, Rfork, run, sleep } from '@libcr/core';
import { median, report } from '../../sample.mjs';

const ROUNDS = 400;
const rfork = new Rfork(new URL('./echo-main.mjs', import.meta.url));

await run(() => {
  const figures = [];
  for (let i = 0; i < ROUNDS; i++) {
    sleep(2);
    const start = process.hrtime.bigint();
    if (rfork.port.domsg(new Msg(i)) !== i) throw new Error('wrong answer');
    figures.push(Number(process.hrtime.bigint() - start));
  }
  report(median(figures));
});
rfork.port.close();
