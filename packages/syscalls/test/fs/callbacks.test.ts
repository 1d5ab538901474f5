/** callbacks.test.ts: between two callbacks Node does what the first has left to do. How many are ready at once differs, that does not. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type nodeFs from 'node:fs';
import { besideNode } from './beside-node.ts';

const COUNT = 20;

/** What callbacks do one after the other, each with ticks and microtasks: those who have not done all of theirs when the next is called. */
async function overtaken(start: (callback: () => void, i: number) => void): Promise<number[]> {
  let current: { steps: number; i: number } | undefined;
  const early: number[] = [];
  const stores = new AsyncLocalStorage<number>();
  await Promise.all(
    Array.from(
      { length: COUNT },
      (_, i) =>
        new Promise<void>((resolve) => {
          const callback = (): void => {
            if (current && current.steps < 4) early.push(current.i);
            const own = { steps: 0, i: stores.getStore() as number };
            current = own;
            const step = (): void => {
              own.steps++;
            };
            process.nextTick(() => {
              step();
              Promise.resolve().then(() => process.nextTick(step));
            });
            Promise.resolve().then(step).then().then().then(step);
            setImmediate(resolve);
          };
          stores.run(i, () => start(callback, i));
        }),
    ),
  );
  return early;
}

besideNode({
  stat: (fs, folder) => overtaken((callback) => fs.stat(folder, callback)),
  errors: (fs, folder) => overtaken((callback) => fs.stat(`${folder}/none`, callback)),
  readFile: (fs: typeof nodeFs, folder) => {
    fs.writeFileSync(`${folder}/file`, 'text');
    return overtaken((callback) => fs.readFile(`${folder}/file`, callback));
  },
  'some of each': (fs, folder) =>
    overtaken((callback, i) =>
      [
        () => fs.access(folder, callback),
        () => fs.readdir(folder, callback),
        () => fs.exists(folder, callback),
        () => fs.mkdir(`${folder}/${i}`, callback),
      ][i % 4]?.(),
    ),
});
