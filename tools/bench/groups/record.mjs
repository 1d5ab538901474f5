// The group "record": what it costs that a program is recorded, and how long its replay takes. The peers are the run itself, and rr where that can be had.
//
// What is recorded is written to the file system of the scratch directory, of which a slow one is part of the figures. What a recording has once (the program's files)
// is in each of them.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exists } from '../compile.mjs';
import { loads } from '../subjects/record/loads.mjs';

const LAUNCHER = 'packages/posix-compat/prebuilds/linux-x64/libcr';
const RUN = 'tools/bench/subjects/record/run.mjs';
const REDIS = 'tools/bench/subjects/record/redis.mjs';
const WAYS = {
  native: 'natively',
  record: 'recorded',
  replay: 'replayed',
  rr: 'recorded by rr',
  'rr-replay': 'replayed by rr',
};
const AT_MOST = { make: 1.3, python: 1.3, sqlite: 1.3, xz: 1.5 };
const named = (name, how) => `${name}, ${WAYS[how]}`;

const subjects = {};
for (const name of Object.keys(loads))
  for (const how of Object.keys(WAYS))
    subjects[named(name, how)] = { load: name, how, command: ({ scratch }) => [RUN, how, name, scratch] };
for (const [how, text] of [
  ['native', 'natively'],
  ['record', 'recorded'],
  ['life', 'from start to end'],
  ['replay', 'replayed'],
])
  subjects[`redis, ${text}`] = { load: 'redis', how, command: ({ scratch }) => [REDIS, how, scratch] };

/** Why rr records nothing here; undefined: it does. It needs the processor's counters, which a virtual machine may not have. */
function whyNoRr() {
  if (!exists('rr', '--version')) return 'there is no rr (Debian: rr)';
  const works =
    spawnSync('rr', ['record', '-n', '-o', join(tmpdir(), `rr-${process.pid}`), 'true']).status === 0;
  return works ? undefined : 'rr can record nothing here';
}

export const group = {
  name: 'record',
  what: 'programs, recorded and replayed; medians',
  needs: [LAUNCHER],

  prepare(scratch, names) {
    const absent = {};
    const rr = whyNoRr();
    for (const name of names) {
      const { load, how } = subjects[name];
      const program = load === 'redis' ? 'redis-benchmark' : loads[load].needs;
      if (!exists(program, '--version')) absent[name] = `there is no ${program}`;
      else if (how.startsWith('rr') && rr) absent[name] = rr;
    }
    for (const load of new Set(names.filter((name) => !absent[name]).map((name) => subjects[name].load)))
      loads[load]?.prepare?.(scratch);
    return { scratch, absent };
  },

  subjects,
  rows: [
    ...Object.keys(loads).flatMap((name) => [
      {
        what: `record of a ${name} run`,
        ours: named(name, 'record'),
        peers: [named(name, 'native')],
        expected: { atMost: AT_MOST[name] },
      },
      {
        what: `record of a ${name} run, and by rr`,
        ours: named(name, 'record'),
        peers: [named(name, 'rr')],
        expected: { atMost: 1 },
      },
      {
        what: `replay of a ${name} run`,
        ours: named(name, 'replay'),
        peers: [named(name, 'native')],
        expected: { atMost: 1 },
      },
      {
        what: `replay of a ${name} run, and by rr`,
        ours: named(name, 'replay'),
        peers: [named(name, 'rr-replay')],
        expected: { atMost: 1 },
      },
    ]),
    {
      what: 'record of a redis run, each request',
      ours: 'redis, recorded',
      peers: ['redis, natively'],
      expected: { atMost: 1.3 },
    },
    {
      what: 'replay of a redis run, each request',
      ours: 'redis, replayed',
      peers: ['redis, from start to end'],
      expected: { atMost: 1 },
    },
  ],
};
