// See first.test.js: the same process, another context.
const { run, sleep, stats, userthreads } = require('@libcr/core');

test('nothing is left, and it goes on', async () => {
  expect(userthreads()).toHaveLength(0);
  const { created } = stats();
  await run(() => sleep(1));
  expect(stats().created).toBe(created + 1);
});
