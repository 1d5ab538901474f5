// In a Worker: asks a port of the main thread's other connection, and serves one.
import { parentPort, workerData } from 'node:worker_threads';
import { create, Msg, MsgPort } from '@libcr/core';
import { connect as connectPort, serve } from '@libcr/nats';
import { connect } from '@nats-io/transport-node';

const { url, name } = workerData;
const nc = await connect({ servers: url });
const port = new MsgPort('of a worker');
create(
  () => {
    for (const msg of port) msg.replymsg(undefined, msg.data + 1);
  },
  { daemon: true },
);
await serve(nc, `${name}-worker`, port);
const echoed = await create(() => connectPort(nc, name).domsg(new Msg('from a worker'))).finished;
parentPort.postMessage({ echoed });
