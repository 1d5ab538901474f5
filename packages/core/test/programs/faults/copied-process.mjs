// The global process is a copy of Node's, as in Jest's environments. See tools.test.ts.
globalThis.process = Object.create(Object.getPrototypeOf(process), Object.getOwnPropertyDescriptors(process));
const { run, sleep } = await import('@libcr/core');
console.log(
  JSON.stringify(
    await run(() => {
      sleep(1);
      return 'runs';
    }),
  ),
);
