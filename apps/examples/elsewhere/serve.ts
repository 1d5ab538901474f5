/** serve.ts: lets others read a folder of this host: its system calls are made here, under a policy that is this side's alone. README.md says how. */
import { wait } from '@libcr/core';
import { serveSyscalls } from '@libcr/nats/syscalls';
import { policy } from '@libcr/syscalls/shims/policy';
import { connect } from '@nats-io/transport-node';

const [folder, name = 'files-host'] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: serve FOLDER [NAME]\n');
  process.exit(2);
}
const nc = wait(connect({ servers: process.env.NATS_URL ?? '127.0.0.1:4222' }));
const readOnly = policy([
  {
    action: 'deny',
    on: ['write', 'pwrite64', 'writev', 'mkdir', 'unlink', 'rename', 'truncate', 'ftruncate', 'socket'],
  },
  { action: 'allow', on: ['open', 'stat'], path: `${folder}/**` },
  { action: 'allow', on: ['open', 'stat'], path: folder },
  { action: 'deny', on: ['open', 'stat', 'readlink', 'access', 'statfs'], errno: 'EACCES' },
]);
wait(serveSyscalls(nc, name, { shims: [readOnly] }));
process.stdout.write(`serves ${folder} as ${name}\n`);
