// The group "core": what @libcr/core costs, against what one uses in JavaScript today for the same purpose. Beside that, what it is worth to a
// program: treesum (the tree and its subjects are the group treesum's), and light requests beside heavy ones.
import { insideTheProcess, group as treesum } from './treesum.mjs';

const SUBJECTS = 'tools/bench/subjects/core';
const subject = (file, ...args) => ({ command: () => [`${SUBJECTS}/${file}.mjs`, ...args] });

export const group = {
  name: 'core',
  what: '@libcr/core; medians for one operation',
  needs: treesum.needs,

  prepare: (scratch, names) =>
    names.some((name) => insideTheProcess.subjects[name]) ? treesum.prepare(scratch) : {},
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
    suspended: { command: () => ['--expose-gc', `${SUBJECTS}/suspended.mjs`] },
    ...insideTheProcess.subjects,
    'light, event loop': subject('light', 'loop'),
    'light, userthreads': subject('light', 'userthread'),
    'light, preemptible': subject('light', 'preemptible'),
    compute: subject('preempted'),
  },
  rows: [
    { what: 'one switch', ours: 'yieldNow()', peers: ['await 0'], expected: { atMost: 11 } },
    { what: 'one switch, two parties', ours: 'yieldNow()', peers: ['await 0, two functions'] },
    {
      what: 'create, run, end (1,000 at once)',
      ours: 'create, batch',
      peers: ['Promise + setImmediate'],
      expected: { most: 1000 },
    },
    {
      what: 'create, run, end, joined one by one',
      ours: 'create, join',
      peers: ['Promise + setImmediate'],
      expected: { atMost: 10 },
    },
    { what: 'create, run, end, for scale', ours: 'create, batch', peers: ['new Worker'] },
    { what: 'message and reply', ours: 'domsg()', peers: ['MessageChannel'], expected: { faster: 4 } },
    {
      what: 'memory of 20,000 threads suspended six calls deep, each',
      unit: 'bytes',
      ours: 'suspended: memory',
      peers: [],
      expected: { most: 13.5 * 1024 },
    },
    {
      what: 'the first 20,000 threads, from nothing to all suspended, each',
      ours: 'suspended: time',
      peers: [],
      expected: { most: 10_000 },
    },
    insideTheProcess.row,
    {
      what: 'light requests beside two handlers that compute 200 ms, p99',
      ours: 'light, preemptible: p99',
      peers: ['light, event loop: p99'],
      expected: { faster: 20 },
    },
    {
      what: 'light requests beside two handlers that compute 200 ms, p50',
      ours: 'light, preemptible: p50',
      peers: ['light, event loop: p50'],
    },
    {
      what: 'light requests beside two handlers that compute 200 ms, not preempted, p99',
      ours: 'light, userthreads: p99',
      peers: ['light, event loop: p99'],
    },
    {
      what: 'a computing thread, preemptible and alone, one round',
      ours: 'compute: alone',
      peers: ['compute: plain'],
      expected: { atMost: 1.01 },
    },
    {
      what: 'a computing thread beside nine others, slice 10 ms, one round in its tenth of the time',
      ours: 'compute: at once',
      peers: ['compute: one by one'],
      expected: { atMost: 1.052 }, // 0.95 of the throughput
    },
  ],
};
