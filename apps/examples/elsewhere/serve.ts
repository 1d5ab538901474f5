/** serve.ts: lets others read a folder of this host: its system calls are made here, under a policy that is this side's alone. README.md says how. */
import { realpathSync } from 'node:fs';
import { wait } from '@libcr/core';
import { serveSyscalls } from '@libcr/nats/syscalls';
import { constants as c, type SysMsg } from '@libcr/syscalls';
import { policy } from '@libcr/syscalls/shims/policy';
import { connect } from '@nats-io/transport-node';

const [given, name = 'files-host'] = process.argv.slice(2);
if (given === undefined) {
  process.stderr.write('usage: serve FOLDER [NAME]\n');
  process.exit(2);
}
const folder = realpathSync(given); // rules are about where paths lead
const nc = wait(connect({ servers: process.env.NATS_URL ?? '127.0.0.1:4222' }));
const below = [folder, `${folder}/**`];
const forReading = ({ name, args }: SysMsg): boolean => {
  const flags = { open: args[1], openat: args[2] }[name as string];
  return typeof flags === 'number' && (flags & (c.O_WRONLY | c.O_RDWR | c.O_CREAT | c.O_TRUNC)) === 0;
};
const readOnly = policy(
  [
    { action: 'allow', on: ['open'], path: below, when: forReading },
    { action: 'allow', on: ['stat', 'access', 'readlink', 'statfs', 'getxattr', 'listxattr'], path: below },
    // What has been opened.
    { action: 'allow', on: ['read', 'pread64', 'readv', 'preadv', 'lseek', 'getdents64', 'close', 'dup'] },
    { action: 'allow', on: ['fstat', 'fstatfs', 'fadvise64', 'fgetxattr', 'flistxattr', 'fcntl'] },
    { action: 'deny' },
  ],
  { follow: true }, // a link that leads out of the folder is no way out
);
wait(serveSyscalls(nc, name, { shims: [readOnly] }));
process.stdout.write(`serves ${folder} as ${name}\n`);
