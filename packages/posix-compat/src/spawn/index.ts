/**
 * index.ts: `@libcr/posix-compat/spawn`: programs whose threads are userthreads, as child processes.
 *
 * It needs nothing but the launcher, and no other package but where shims are given; become() the native half, on older Nodes.
 */
export { hasFsgsbase } from '../fsgsbase.ts';
export { launcherPath } from '../launcher.ts';
export { become } from './become.ts';
export { type ProgramRule, policyText } from './policy.ts';
export { type Program, type ProgramOptions, type SpawnOptions, spawn } from './spawn.ts';
export type { ProgramCall, ShimOfCalls, ShimOptions } from './supervise.ts';
export type { Syscall, SyscallArgument, SyscallTrace } from './syscalls.ts';
