// Rforks that fail before anybody asks. See rejections.test.ts.
import { Msg, Rfork, run, sleep } from '@libcr/core';
import { main } from '../check.mjs';

const bad = () => new Rfork(new URL('data:text/javascript,throw new Error("from the module")'));
const thrownBy = (f) => {
  try {
    f();
    return 'nothing';
  } catch (error) {
    return error.message;
  }
};

await main({
  /** The statement before join() is what hears first that it has failed. */
  afterMessage: () =>
    run(() => {
      const rfork = bad();
      const first = thrownBy(() => rfork.port.domsg(new Msg(1)));
      return [first, thrownBy(() => rfork.join())];
    }),

  /** Several, joined one after the other. */
  inTurn: () =>
    run(() => {
      const rforks = [bad(), bad(), bad()];
      return rforks.map((rfork) => {
        while (rfork.state !== 'ended') sleep(1);
        return thrownBy(() => rfork.join());
      });
    }),

  /** Awaited later, on the event loop. */
  async awaited() {
    const rfork = bad();
    await run(() => thrownBy(() => rfork.port.domsg(new Msg(1))));
    const { finished } = rfork;
    return finished.catch((error) => [error.message, rfork.finished === finished]);
  },

  /** Nobody asks: the program would have nothing left to do. */
  never() {
    process.on('exit', () => console.log('exits'));
    bad();
  },

  /** Nobody asks, and the program goes on. */
  neverServing() {
    setInterval(() => {}, 1000);
    bad();
  },

  /** Asked for, and not heard. */
  unheard() {
    bad().finished.then(() => {});
  },
});
