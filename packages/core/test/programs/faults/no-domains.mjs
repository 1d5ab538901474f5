// Whether userthreads load node:domain. A program that has it can't have setUncaughtExceptionCaptureCallback(). See contexts.test.ts.
import EventEmitter from 'node:events';
import { create, run, sleep, yieldNow } from '@libcr/core';
import { main } from '../check.mjs';

await main({
  async none() {
    await run(() => {
      create(() => sleep(1)).join();
      yieldNow();
    });
    process.setUncaughtExceptionCaptureCallback(() => {}); // throws beside node:domain
    process.setUncaughtExceptionCaptureCallback(null);
    const loaded = process.moduleLoadList.includes('NativeModule domain');
    return { usingDomains: EventEmitter.usingDomains, loaded };
  },
});
