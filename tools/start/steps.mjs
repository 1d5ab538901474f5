// The steps of the tour: what each shows, the file whose lines are shown, and the program that measures. What the program prints is shown as it is.
// `until` is the second of the tour at which it has to be done, so that a slow step leaves time to the others.
//
// Invariant: the lines that are shown are part of what the program runs.
const LWKT = ['apps/lwkt/dist/cli.js', 'run'];
const BUSY = 'apps/examples/busy';
const SUBJECTS = 'tools/bench/subjects';

/** `quick`: less of everything, for the test of the tour. */
export const steps = ({ quick }) => [
  {
    title: `checksums of every file below ${quick ? 'packages/core/src' : 'node_modules'}`,
    about: [
      'Sixteen userthreads at a time, each in plain blocking code: open, fstat, read, close.',
      'A call that can be made at once makes no trip to a helper thread. (npm start -- DIR prints the sums.)',
    ],
    code: `${SUBJECTS}/treesum/userthreads.mjs`,
    until: 10,
    command: ['tools/start/steps/treesum.mjs', quick ? 'packages/core/src' : 'node_modules'],
  },
  {
    title: '1,000 userthreads that wait for fetch',
    about: [
      'wait(promise) blocks the userthread that calls it, and nothing else. The server is on the event loop of',
      'the same process, and answers each request after 100 ms.',
    ],
    code: 'tools/start/steps/fetch.mjs',
    until: 15,
    command: ['tools/start/steps/fetch.mjs', quick ? '50' : '1000'],
  },
  {
    title: 'a shim that refuses a file',
    about: ['System calls are messages. A shim sees those that it asks for, and passes them on or answers.'],
    code: 'tools/start/steps/shim.mjs',
    until: 17,
    command: ['tools/start/steps/shim.mjs'],
  },
  {
    title: 'a server that computes, with and without preemption',
    about: [
      'Two clients ask for a page that takes 200 ms to compute, again and again. How long do others wait for',
      'a page that takes no time? The same handler in two places, each in a node:http server of its own:',
    ],
    code: `${BUSY}/busy.ts`,
    until: 30,
    command: [
      ...LWKT,
      `${BUSY}/measure.ts`,
      ...['--seconds', ...(quick ? ['0.2', '--below', '20000'] : ['2'])],
      ...['loop', 'preemptible'],
    ],
  },
];
