// A userthread that sends a message to another and waits for the reply: nanoseconds for the round trip.
import { create, Msg, MsgPort, run } from '@libcr/core';
import { sampleBlocking } from '../../sample.mjs';

const ROUND_TRIPS = 100_000;
const port = new MsgPort('adder');

create(() => {
  for (const msg of port) msg.replymsg(undefined, msg.data.n + 1);
});

await run(() => {
  sampleBlocking(ROUND_TRIPS, () => {
    for (let i = 0; i < ROUND_TRIPS; i++)
      if (port.domsg(new Msg({ n: i })) !== i + 1) throw new Error('wrong reply');
  });
  port.close();
});
