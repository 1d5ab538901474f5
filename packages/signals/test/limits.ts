/** limits.ts: why what is in programs/limits.mjs does not hold under Node: by the case's name. In the table in the docs (conformance.test.ts). */
export const limits: Record<string, string> = {
  'a handler interrupts a computation: it runs at the next wait':
    'V8 runs no other JavaScript on the stack of one that computes. In `preemptible()` another userthread runs it',
  'a thread that waits gets its signal while another one computes: it does when the event loop turns':
    'signals of the process are read by the event loop, or by a userthread of the same rfork, and JavaScript of one rfork runs one at a time',
  'a fault of the kernel\u2019s has its handler: the process ends':
    'the handler is JavaScript, and never runs inside a signal\u2019s frame: it could not repair what the instruction needs, nor is V8 in a state to be entered there. So there are no alternate stacks and no contexts either',
  'every signal but SIGKILL and SIGSTOP may have a handler: SIGPROF may not':
    'it is V8\u2019s CPU profiler\u2019s, which has a handler of its own and is lost without it',
  'a signal for a kernel thread that is no rfork\u2019s is delivered: it stays pending there':
    'all kernel threads block what has a handler, so that the kernel queues it; those of libuv and V8 run no JavaScript and read no signals. `threadKill` is for userthreads',
};
