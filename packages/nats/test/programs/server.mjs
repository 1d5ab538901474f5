// Serves a name: server.mjs URL NAME never|MILLISECONDS. Prints a line when it does.
import { create, MsgPort, sleep } from '@libcr/core';
import { serve } from '@libcr/nats';
import { connect } from '@nats-io/transport-node';

const [url, name, how] = process.argv.slice(2);
const nc = await connect({ servers: url });
const port = new MsgPort(name);
create(() => {
  for (const msg of port) {
    if (how === 'never') continue;
    sleep(Number(how));
    msg.replymsg(undefined, msg.data);
  }
});
await serve(nc, name, port);
console.log('serves');
