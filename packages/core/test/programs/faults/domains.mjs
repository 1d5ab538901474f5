// node:domain in userthreads that wait. See contexts.test.ts.
import { create, run, sleep, yieldNow } from '@libcr/core';
import { main } from '../check.mjs';

const { default: domain } = await import('node:domain');
const name = () => process.domain?.name ?? 'none';

await main({
  async own() {
    const wrong = [];
    const expect = (where, expected) => {
      if (name() !== expected) wrong.push(`${where}: ${name()}, not ${expected}`);
    };
    const ticks = setInterval(() => expect('the loop', 'none'), 1);
    const tds = ['a', 'b', 'c'].map((id, i) =>
      create(() => {
        const outer = Object.assign(domain.create(), { name: id });
        const inner = Object.assign(domain.create(), { name: `${id}2` });
        outer.run(() => {
          sleep(4 - i);
          expect('outer', id);
          inner.run(() => {
            yieldNow();
            expect('inner', `${id}2`);
            sleep(i + 1);
            expect('inner', `${id}2`);
          });
          expect('outer again', id);
          yieldNow();
          expect('outer at last', id);
        });
        expect('outside', 'none');
        sleep(1);
        expect('outside', 'none');
      }),
    );
    tds.push(
      create(() => {
        for (let i = 0; i < 5; i++) {
          sleep(1);
          expect('a thread without', 'none');
        }
      }),
    );
    await Promise.all(tds.map((td) => td.finished));
    clearInterval(ticks);
    return wrong;
  },

  /** What is begun after a wait fails where it belongs. */
  errors: () =>
    Promise.all(
      ['a', 'b'].map(
        (id, i) =>
          new Promise((resolve) => {
            const d = domain.create();
            d.on('error', (error) => resolve(`${id} ${error.message}`));
            run(() =>
              d.run(() => {
                sleep(3 - i);
                setTimeout(() => {
                  throw new Error(id);
                }, i);
              }),
            );
          }),
      ),
    ),
});
