/**
 * limits.ts - the behaviours of threads that a program does not find under libcr, each with the cause. The conformance test wants them to fail, so that
 * what has been mended leaves this list.
 */
export const limits: Record<string, string> = {
  robust_process_thread_killed:
    'the kernel, which alone outlives a process that is killed, looks for its own threads’ numbers in the mutexes of their lists, and another lwp than the first has none of these',
};
