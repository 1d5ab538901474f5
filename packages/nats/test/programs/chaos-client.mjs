// A client of the chaos: chaos-client.mjs URL NAME FIRST COUNT plain|durable. Sends numbers, 32 at once, and prints what became of each: a line of JSON at the end.
import { create, Msg, sleep } from '@libcr/core';
import { connect as connectPort } from '@libcr/nats';
import { connect } from '@nats-io/transport-node';

const [url, name, first, count, kind] = process.argv.slice(2);
const AT_ONCE = 32;
const nc = await connect({
  servers: url,
  waitOnFirstConnect: true,
  reconnectTimeWait: 20,
  maxReconnectAttempts: -1,
}); // it may be away already
const port = connectPort(
  nc,
  name,
  kind === 'durable' ? { durable: true, timeout: 60_000 } : { silence: 2000 },
);
const outcomes = {};
let next = Number(first);
const end = next + Number(count);

function one(n) {
  let outcome;
  try {
    const result = port.domsg(new Msg(n));
    outcome = kind === 'durable' ? 'stored' : result === n * 2 ? 'answered' : `wrong: ${result}`;
  } catch (error) {
    outcome = error.message === `refused ${n}` ? 'answered' : (error.code ?? String(error));
  }
  outcomes[n] = n in outcomes ? 'twice' : outcome;
  if (/DISCONNECTED|NO_RESPONDERS/.test(outcome)) sleep(100); // or all would fail in one moment of a server that is away
}

const threads = Array.from({ length: AT_ONCE }, () =>
  create(() => {
    while (next < end) one(next++);
  }),
);
await Promise.all(threads.map((td) => td.finished));
console.log(JSON.stringify(outcomes));
await nc.close();
