// What the rforks of trace-events.mjs run.
import { create, Msg, Rfork, sleep } from '@libcr/core';

export default function main(port, { role, to }) {
  if (role === 'exits') process.exit(3);
  if (role === 'starts another') {
    const rfork = new Rfork(new URL(import.meta.url), { name: 'grandchild', data: { role: 'echo' } });
    for (const msg of port) msg.replymsg(undefined, rfork.port.domsg(new Msg(msg.data)) + 1);
    rfork.port.close();
    return rfork.join();
  }
  if (role === 'forwards') {
    for (const msg of port) to.forwardmsg(msg);
    return 'forwarded';
  }
  for (const msg of port) {
    create(() => sleep(1), { name: 'helper' }).join();
    msg.replymsg(undefined, msg.data + 1);
  }
  return role;
}
