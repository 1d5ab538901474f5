/** explore.mjs CASE: what explore() finds, of races.mjs; and how it behaves otherwise. Prints JSON. */
import { readFile } from 'node:fs/promises';
import { create, Msg, run, sleep, userthreads, wait, yieldNow } from '@libcr/core';
import { explore } from '@libcr/core/explore';
import { main as runCase } from '../check.mjs';
import * as all from './races.mjs';

const races = new Map(Object.entries(all));

const found = async (main, options) => {
  try {
    return await explore(main, options);
  } catch (error) {
    const { code, kind, seed, schedule, steps, runs, message, cause } = error;
    return { code, kind, seed, schedule, steps, runs, message, cause: cause?.message };
  }
};

/** Each run's order of three threads that take five turns. */
const orders = async (options) => {
  const seen = [];
  const main = () => {
    const order = [];
    const tds = [...'abc'].map((name) =>
      create(
        () => {
          for (let i = 0; i < 5; i++) {
            order.push(name);
            yieldNow();
          }
        },
        { name },
      ),
    );
    for (const td of tds) td.join();
    seen.push(order.join(''));
  };
  await explore(main, options);
  return seen;
};

const name = process.argv[3];

await runCase({
  race: async () => {
    const { race, right } = races.get(name);
    const first = await found(race);
    return {
      first,
      again: await found(race),
      alone: await found(race, { seed: first.seed, runs: 1 }),
      least: await found(race, { schedule: first.schedule }),
      right: right && (await found(right)),
    };
  },
  finds: () => found(races.get(name).race, { steps: 1000 }),
  right: () => found(races.get(name).right),
  orders: async () => [
    await orders({ runs: 30 }),
    await orders({ runs: 30 }),
    await orders({ schedule: '' }),
  ],
  time: async () => {
    const began = performance.now();
    const slept = [];
    const main = () => {
      const tds = [3, 1, 2].map((hours) =>
        create(() => {
          sleep(hours * 3_600_000);
          slept.push(hours);
        }),
      );
      for (const td of tds) td.join();
      const port = create(() => sleep(2 ** 31 - 1), { daemon: true }).port;
      try {
        port.domsg(new Msg('never answered'), { timeout: 60_000 });
      } catch (error) {
        slept.push(error.code);
      }
    };
    await explore(main, { runs: 2 });
    return { slept, isQuick: performance.now() - began < 3_600_000, left: userthreads().length };
  },
  outside: async () => {
    let sizes = 0;
    const main = () => {
      sizes += wait(readFile(new URL(import.meta.url))).length > 0;
      wait(new Promise((resolve) => setTimeout(resolve, 5)));
      sleep(1_000_000);
    };
    await explore(main, { runs: 3 });
    return sizes;
  },
  hangs: () => found(() => wait(new Promise(() => setTimeout(() => {}, 3000))), { timeout: 300 }),
  others: async () => {
    const other = run(() => {
      for (let i = 0; i < 50; i++) sleep(1);
      return 'done';
    });
    const explored = await found(all.lostUpdate.right, { runs: 50 });
    return { explored, other: await other };
  },
  wrong: async () => {
    const code = (call) => call.then(String, (error) => `${error.name} ${error.code}`);
    const one = explore(all.lostUpdate.right, { runs: 1 });
    return [
      await code(explore(all.lostUpdate.right)),
      String(await one.then(({ runs }) => runs)),
      await code(explore('text')),
      await code(explore(() => {}, { runs: 0 })),
      await code(explore(() => {}, { seed: 1.5 })),
      await code(explore(() => {}, { schedule: '1:' })),
      await code(explore(() => {}, 3)),
      await code(run(() => wait(explore(() => {})))),
    ];
  },
});
