// A thousand traced calls, to the file named or to standard error, and then process.exit on a userthread.
import { run } from '@libcr/core';
import { sys, syscallPort } from '@libcr/syscalls';
import { trace } from '@libcr/syscalls/shims/trace';

syscallPort.shim(trace({ output: process.argv[2] }));
await run(() => {
  for (let i = 0; i < 1000; i++) sys.getpid();
  process.exit(7);
});
