// A message through a MessageChannel and its reply, both ends in one thread (the cheapest case): nanoseconds for the round trip.
import { MessageChannel } from 'node:worker_threads';
import { sampleAsync } from '../../sample.mjs';

const ROUND_TRIPS = 20_000;
const { port1, port2 } = new MessageChannel();

port2.on('message', ({ n }) => port2.postMessage({ n: n + 1 }));

await sampleAsync(ROUND_TRIPS, () => {
  return new Promise((resolve, reject) => {
    let sent = 0;
    const onReply = ({ n }) => {
      if (n !== sent) reject(new Error('wrong reply'));
      if (sent < ROUND_TRIPS) return port1.postMessage({ n: sent++ });
      port1.off('message', onReply);
      resolve();
    };
    port1.on('message', onReply);
    port1.postMessage({ n: sent++ });
  });
});
port1.close();
