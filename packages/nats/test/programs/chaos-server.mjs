// A server of the chaos: chaos-server.mjs URL NAME LOG plain|durable. Each message that it handles is a line of LOG before it is answered, whatever kills it.
import { appendFileSync, openSync, writeSync } from 'node:fs';
import { create, MsgPort, sleep } from '@libcr/core';
import { serve } from '@libcr/nats';
import { connect } from '@nats-io/transport-node';

const [url, name, log, kind] = process.argv.slice(2);
const fd = openSync(log, 'a');
const nc = await connect({
  servers: url,
  waitOnFirstConnect: true,
  reconnectTimeWait: 20,
  maxReconnectAttempts: -1,
}); // it may be away already
const port = new MsgPort(name);
create(() => {
  for (const msg of port)
    create(
      () => {
        if (msg.data % 50 === 0) sleep(2); // some take longer
        writeSync(fd, `${msg.data}\n`);
        if (msg.data % 101 === 0 && kind === 'plain') msg.replymsg(new RangeError(`refused ${msg.data}`));
        else msg.replymsg(undefined, msg.data * 2);
      },
      { daemon: true },
    );
});
for (;;)
  try {
    await serve(
      nc,
      name,
      port,
      kind === 'durable' ? { durable: { ackWait: 1000, retryDelay: 50, deliveries: 50 } } : {},
    );
    break;
  } catch (error) {
    appendFileSync(`${log}.errors`, `${error.stack}\n`); // the NATS server is not there yet
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
console.log('serves');
