/** mount.ts: a shim by which a program of Linux' has the files of another host under /elsewhere. README.md says how. */
import { mount, remote } from '@libcr/nats/syscalls';
import { connect } from '@nats-io/transport-node';

const nc = await connect({ servers: process.env.NATS_URL ?? '127.0.0.1:4222' });
export default mount('/elsewhere', remote(nc, 'files-host', { ownsConnection: true }));
