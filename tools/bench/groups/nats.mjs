// The group "nats": what a message to another process costs by way of a NATS server on loopback. The peer is the client's own request() of the same bytes: both have the same server between them, and a process that answers.
import { exists } from '../compile.mjs';

const SUBJECT = 'tools/bench/subjects/nats/round-trip.mjs';
const subject = (...args) => ({ command: () => [SUBJECT, ...args] });
const AT_ONCE = 64;

export const group = {
  name: 'nats',
  what: '@libcr/nats; medians for one round trip, by a NATS server on loopback',
  needs: ['packages/nats/dist/index.js', 'packages/nats/dist/syscalls.js'],

  prepare(scratch) {
    const why = exists('nats-server', '--version')
      ? undefined
      : 'nats-server is missing (Debian: nats-server)';
    const absent = why && Object.fromEntries(Object.keys(group.subjects).map((name) => [name, why]));
    return { scratch, absent };
  },

  subjects: {
    'request()': subject('request', '1'),
    domsg: subject('domsg', '1'),
    'request(), 64': subject('request', String(AT_ONCE)),
    'domsg, 64': subject('domsg', String(AT_ONCE)),
    'request() of 4 KiB, 64': subject('block', String(AT_ONCE)),
    'pread64, 64': subject('pread', String(AT_ONCE)),
  },
  rows: [
    { what: 'domsg', ours: 'domsg', peers: ['request()'], expected: { atMost: 1.15 } },
    { what: 'domsg, 64 in flight', ours: 'domsg, 64', peers: ['request(), 64'], expected: { atMost: 1.15 } },
    {
      what: 'pread64 of 4 KiB on another host, 64 in flight',
      ours: 'pread64, 64',
      peers: ['request() of 4 KiB, 64'],
      expected: { atMost: 1.3 },
    },
  ],
};
