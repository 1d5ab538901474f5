// The group "signals": what signals cost on userthreads. Their peer in JavaScript is Node's own: process.kill, and a listener of process.on. What programs under libcr
// pay has the same rows, with the same C program without libcr as its peer: it is put beside these.
const subject = (file, ...args) => ({ command: () => [`tools/bench/subjects/signals/${file}.mjs`, ...args] });

export const group = {
  name: 'signals',
  what: '@libcr/signals; medians for one operation',
  needs: ['packages/core/dist/index.js', 'packages/signals/dist/index.js'],

  subjects: {
    kill: subject('kill'),
    'process.on': subject('listener'),
    sigwait: subject('sigwait'),
    'process.on, two processes': subject('listeners'),
    sigprocmask: subject('sigprocmask'),
    threadKill: subject('thread-kill'),
  },
  rows: [
    {
      what: 'kill to the own process until the handler runs',
      ours: 'kill',
      peers: ['process.on'],
      expected: { atMost: 0.5 },
    },
    {
      what: 'a signal to another process and one back, sigwait on both sides',
      ours: 'sigwait',
      peers: ['process.on, two processes'],
      expected: { atMost: 0.8 },
    },
    { what: 'sigprocmask, no system call', ours: 'sigprocmask', peers: [], expected: { most: 1000 } },
    {
      what: 'threadKill to a waiting userthread until its handler has run',
      ours: 'threadKill',
      peers: ['process.on'],
    },
  ],
};
