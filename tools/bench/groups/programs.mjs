// The group "programs": programs that people use, natively and with their threads as userthreads, in turn. A rate is told as the time of one request or transaction,
// so that less is better in each row; what is expected is a ratio of throughputs where that is what counts.
//
// What is not installed is skipped, and said; tools/install-programs.sh installs it. The tests look at what the same programs print (packages/posix-compat).
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compile, exists, missingCompiler } from '../compile.mjs';
import { makeDatabase, postgresPrograms } from '../subjects/programs/postgres-data.mjs';

const SUBJECTS = 'tools/bench/subjects/programs';
const SOURCES = join(import.meta.dirname, '..', 'subjects', 'programs');
const LAUNCHER = 'packages/posix-compat/prebuilds/linux-x64/libcr';
const PYTHON = '/usr/bin/python3';

const program = (command, deb) => () =>
  exists(command, '--version') ? undefined : `there is no ${command} (Debian: ${deb})`;
const compiled = (source) => () => {
  const lacking = missingCompiler(source);
  return lacking && `there is no ${lacking.missing} (Debian: ${lacking.deb})`;
};
const hasPostgres = () => (postgresPrograms() ? undefined : 'there is no PostgreSQL (Debian: postgresql)');

/** Each natively and with so many rforks: { name: subject } of both. */
function both(name, rforks, needs, command) {
  const subject = (how) => ({ needs, native: false, command: (context) => command(how, context) });
  return { [`${name}, native`]: subject('native'), [`${name}, under libcr`]: subject(String(rforks)) };
}
const script =
  (file) =>
  (how, { scratch }) => [`${SUBJECTS}/${file}.mjs`, how, scratch];
const timed = (words) => (how, context) => [`${SUBJECTS}/timed.mjs`, how, ...words(context)];
const compressor = (name, deb, words) =>
  both(
    name,
    2,
    [program(name, deb)],
    timed(({ file }) => [name, ...words, '-c', file]),
  );

const row = (what, name, atMost, figure, unit) => {
  const of = (side) => `${name}, ${side}${figure ? `: ${figure}` : ''}`;
  return { what, unit, ours: of('under libcr'), peers: [of('native')], expected: { atMost } };
};
/** Of a throughput. */
const least = (ratio) => Number((1 / ratio).toFixed(3));

/** Text that can be compressed, the same each time: lines of words, by a generator of numbers. */
function writeText(path, mib) {
  const fd = openSync(path, 'w');
  const piece = Buffer.alloc(1 << 20);
  let state = 20261124;
  for (let i = 0; i < mib; i++) {
    for (let at = 0; at < piece.length; ) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const word = `${((state >>> 16) * 7919) % 20011}${(state >>> 8) % 11 ? ' ' : '\n'}`;
      at += piece.write(word, at, 'latin1');
    }
    writeSync(fd, piece);
  }
  closeSync(fd);
}

export const group = {
  name: 'programs',
  what: 'programs, natively and under libcr; medians',
  needs: [LAUNCHER],

  async prepare(scratch, names, { mib }) {
    const absent = {};
    for (const name of names) {
      const why = group.subjects[name].needs.map((need) => need()).find((reason) => reason);
      if (why) absent[name] = why;
    }
    const wanted = (start) => names.some((name) => name.startsWith(start) && !absent[name]);
    const file = join(scratch, 'text');
    if (['xz', 'zstd', 'pigz'].some(wanted)) writeText(file, mib);
    if (wanted('Go')) compile(join(SOURCES, 'gc.go'), join(scratch, 'gc'));
    if (wanted('memcached')) compile(join(SOURCES, 'memcached-load.c'), join(scratch, 'memcached-load'));
    if (wanted('memory')) compile(join(SOURCES, 'memory.c'), join(scratch, 'memory'));
    if (wanted('PostgreSQL')) await makeDatabase(scratch);
    return { scratch, absent, file };
  },

  subjects: {
    ...compressor('xz', 'xz-utils', ['-T2']),
    ...compressor('zstd', 'zstd', ['-T2', '-q']),
    ...compressor('pigz', 'pigz', ['-p2']),
    ...both(
      'Python',
      1,
      [program(PYTHON, 'python3')],
      timed(() => [PYTHON, join(SOURCES, 'compute.py')]),
    ),
    ...both('Go', 2, [compiled('gc.go')], (how, { scratch }) => [
      `${SUBJECTS}/printing.mjs`,
      how,
      join(scratch, 'gc'),
    ]),
    ...both(
      'redis',
      1,
      [program('redis-server', 'redis-server'), program('redis-benchmark', 'redis-tools')],
      script('redis'),
    ),
    ...both(
      'memcached',
      1,
      [program('memcached', 'memcached'), compiled('memcached-load.c')],
      script('memcached'),
    ),
    ...both('nginx', 1, [program('nginx', 'nginx-light'), program('ab', 'apache2-utils')], script('nginx')),
    ...both('PostgreSQL', 1, [hasPostgres], script('postgres')),
    ...both('memory', 1, [compiled('memory.c')], (how, { scratch }) => [
      `${SUBJECTS}/printing.mjs`,
      how,
      join(scratch, 'memory'),
    ]),
    counted: { needs: [program('strace', 'strace')], command: (context) => script('counted')('1', context) },
  },
  rows: [
    row('xz -T2, 2 rforks', 'xz', 1.05),
    row('zstd -T2, 2 rforks', 'zstd', 1.05),
    row('pigz -p2, 2 rforks', 'pigz', 1.05),
    row('Python that computes', 'Python', 1.05),
    row('Go with garbage, GOMAXPROCS=2, 2 rforks', 'Go', 1.1),
    row('redis-server: SET of redis-benchmark, 50 clients', 'redis', 1, 'SET'),
    row('redis-server: GET of redis-benchmark, 50 clients', 'redis', 1, 'GET'),
    row('memcached -t 4: one request of 32 clients', 'memcached', least(1.1)),
    row('nginx, 2 workers: one request of ab -k -c 32', 'nginx', least(0.95)),
    row('PostgreSQL: one transaction of pgbench -c 8', 'PostgreSQL', least(0.9)),
    row("memory of a blocked thread, the kernel's included", 'memory', 0.5, undefined, 'bytes'),
    {
      what: 'overhead of counting the calls of dd bs=1: --stats, against strace -f -c',
      ours: 'counted: libcr',
      peers: ['counted: strace'],
      expected: { faster: 20 },
    },
  ],
};
