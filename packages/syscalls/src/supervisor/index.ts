/**
 * index.ts: @libcr/syscalls/supervisor: shims in front of the system calls of programs, which run in other processes. See README.md, "Programs".
 */
import '../index.ts'; // for the bundle: see tsup.config.ts

export type { ProgramCall } from './calls.ts';
export { ProgramThread } from './program-thread.ts';
export { type SupervisedProcess, Supervisor, type SupervisorOptions } from './supervisor.ts';
