// The group "core": what @libcr/core costs, against what one uses in JavaScript today for the same purpose.
const subject = (file, ...args) => ({ command: () => [`tools/bench/subjects/core/${file}.mjs`, ...args] });

export const group = {
  name: 'core',
  what: '@libcr/core; medians for one operation',
  needs: ['packages/core/dist/index.js'],
  subjects: {
    'yieldNow()': subject('switch'),
    'await 0': subject('await-loop'),
    'await 0, two functions': subject('await-pair'),
    'create, batch': subject('create'),
    'create, join': subject('create-join'),
    'Promise + setImmediate': subject('create-promise'),
    'new Worker': subject('create-worker'),
    'domsg()': subject('domsg'),
    MessageChannel: subject('message-channel'),
  },
  rows: [
    { what: 'one switch', ours: 'yieldNow()', peers: ['await 0'], expected: { atMost: 6 } },
    { what: 'one switch, two parties', ours: 'yieldNow()', peers: ['await 0, two functions'] },
    {
      what: 'create, run, end (1,000 at once)',
      ours: 'create, batch',
      peers: ['Promise + setImmediate'],
      expected: { ns: 1000 },
    },
    { what: 'create, run, end, joined one by one', ours: 'create, join', peers: ['Promise + setImmediate'] },
    { what: 'create, run, end, for scale', ours: 'create, batch', peers: ['new Worker'] },
    { what: 'message and reply', ours: 'domsg()', peers: ['MessageChannel'], expected: { faster: 3 } },
  ],
};
