// Jest in its CommonJS mode, run by tools/pack/check.mjs in a folder where the packages are installed, in one process with second.test.js: Jest loads all modules anew
// for each of the two, and after resetModules().
const { create, curthread, run, sleep } = require('@libcr/core');
const { defineShim, sys } = require('@libcr/syscalls');
const fs = require('@libcr/syscalls/fs');

test('userthreads', async () => {
  expect(await run(() => [1, 2].map((n) => create(() => n * 2)).map((td) => td.join()))).toEqual([2, 4]);
});

test('system calls, through a shim, and node:fs over the port', async () => {
  const names = [];
  const shim = defineShim({
    name: 'names',
    on: 'all',
    shim: (next) => (msg) => {
      names.push(msg.name);
      return next(msg);
    },
  });
  const manifest = require.resolve('./package.json');
  const read = await run(() => JSON.parse(fs.readFileSync(manifest, 'utf8')).private, {
    syscallPort: sys.with(shim),
  });
  expect(read).toBe(true);
  expect(names).toContain('close');
});

test('loaded anew it is the same', () => {
  jest.resetModules();
  const again = require('@libcr/core');
  expect(again.create).toBe(create);
  expect(again.curthread()).toBe(curthread());
  expect(require('@libcr/syscalls').sys).toBe(sys);
});

test("Jest's fake timers rule sleep() and timeouts", async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  try {
    const td = create(() => sleep(86_400_000));
    while (td.state !== 'blocked') await new Promise(setImmediate);
    jest.advanceTimersByTime(86_400_000);
    await td.finished;
  } finally {
    jest.useRealTimers();
  }
});

test('the other packages', () => {
  expect(typeof require('@libcr/signals').sigaction).toBe('function');
  expect(typeof require('@libcr/posix-compat').Mutex).toBe('function');
});
