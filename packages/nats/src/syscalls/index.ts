/** index.ts: @libcr/nats/syscalls, system calls that are made on another host. */
export { mount } from './mount/index.ts';
export { type Remote, type RemoteOptions, remote } from './remote.ts';
export { type ServedSyscalls, type ServeSyscallsOptions, serveSyscalls } from './serve.ts';
