// The group "lwkt": userthreads, messages and the context switch from C, without Node, against the libraries and the language that have the
// same. The subjects are programs of their own, compiled for each run, ours against a libcr.a that is made from the sources as they are now. Beside
// them, messages between rforks from JavaScript, against Workers.
//
// A peer whose library or compiler is not there is skipped, not failed; tools/bench/install-peers.sh installs them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CC, CXX, compile, exists, missingCompiler, run } from '../compile.mjs';

const root = join(import.meta.dirname, '..', '..', '..');
const SOURCES = join(import.meta.dirname, '..', 'subjects', 'lwkt');
const NATIVE = join(root, 'packages', 'core', 'native');

const subject = (source, ...args) => ({
  source,
  native: true,
  command: ({ scratch }) => [program(scratch, source), ...args],
});

const javascript = (file, ...args) => ({
  command: () => [`tools/bench/subjects/rfork/${file}.mjs`, ...args],
});

const switching = ['Boost.Fiber, yield', 'Pth, pth_yield', 'Go, Gosched'];

export const group = {
  name: 'lwkt',
  what: 'native userthreads, from C, and rforks; medians for one operation',
  needs: ['packages/core/dist/index.js'],

  /** Builds the programs of the named subjects. `absent` says which can't be built here, and why. */
  prepare(scratch, names) {
    const absent = {};
    for (const name of names) {
      const { source } = group.subjects[name];
      if (!source) continue;
      const why = whyAbsent(source);
      if (why) absent[name] = why;
      else build(scratch, source);
    }
    return { scratch, absent };
  },

  subjects: {
    'light switch': subject('lwkt-raw.c'),
    'Boost, fcontext': subject('fcontext.cpp'),
    swapcontext: subject('ucontext.c'),
    yield: subject('lwkt-switch.c'),
    'Boost.Fiber, yield': subject('boost-fiber-switch.cpp'),
    'Pth, pth_yield': subject('pth-switch.c'),
    'Go, Gosched': subject('go-switch.go'),
    'create, join': subject('lwkt-create.c', 'joined'),
    create: subject('lwkt-create.c'),
    'Boost.Fiber': subject('boost-fiber-create.cpp'),
    'Boost.Fiber, pooled stacks': subject('boost-fiber-create.cpp', 'pooled'),
    'Pth, pth_spawn': subject('pth-create.c'),
    goroutine: subject('go-create.go'),
    pthread_create: subject('pthread-create.c'),
    domsg: subject('lwkt-domsg.c'),
    'Go, unbuffered channels': subject('go-channel.go'),
    'domsg, busy rforks': subject('lwkt-rforks.c', 'busy'),
    'domsg, idle rforks': subject('lwkt-rforks.c'),
    'Go, channels, two kernel threads': subject('go-channel.go', 'threads'),
    'eventfd, two kernel threads': subject('eventfd.c'),
    'futex, two kernel threads': subject('futex.c'),
    token: subject('lwkt-token.c'),
    'mutex, lock and unlock': subject('mutex.c'),
    memory: subject('lwkt-memory.c'),
    'goroutine, blocked': subject('go-memory.go'),
    'rfork, 64 numbers in flight': javascript('flight'),
    'postMessage, 64 numbers in flight': javascript('flight-post-message'),
    'rfork, 64 objects in flight': javascript('flight', 'object'),
    'postMessage, 64 objects in flight': javascript('flight-post-message', 'object'),
    'domsg, loops asleep': javascript('asleep'),
    'postMessage, loops asleep': javascript('asleep-post-message'),
    'Atomics.wait and notify': javascript('asleep-atomics'),
  },
  rows: [
    {
      what: 'native switch',
      ours: 'light switch',
      peers: ['Boost, fcontext', 'swapcontext'],
      expected: { atMost: 1 },
    },
    { what: 'native switch, scheduler included', ours: 'yield', peers: switching, expected: { atMost: 0.5 } },
    {
      what: 'create, run, end (1,000 at once)',
      ours: 'create, join',
      peers: ['Boost.Fiber', 'Boost.Fiber, pooled stacks', 'Pth, pth_spawn', 'goroutine', 'pthread_create'],
      expected: { atMost: 0.5 },
    },
    { what: 'create, run, end (1,000 at once), nobody joins', ours: 'create', peers: ['goroutine'] },
    {
      what: 'message round trip on one CPU',
      ours: 'domsg',
      peers: ['Go, unbuffered channels'],
      expected: { atMost: 0.5 },
    },
    {
      what: 'message round trip between busy rforks',
      ours: 'domsg, busy rforks',
      peers: ['Go, channels, two kernel threads', 'eventfd, two kernel threads'],
      expected: { atMost: 0.5 },
    },
    {
      what: 'message round trip between idle rforks',
      ours: 'domsg, idle rforks',
      peers: ['futex, two kernel threads'],
      expected: { atMost: 1.1 },
    },
    {
      what: 'token, got and let go of',
      ours: 'token',
      peers: ['mutex, lock and unlock'],
      expected: { atMost: 0.3 },
    },
    {
      what: 'memory of an idle userthread',
      unit: 'bytes',
      ours: 'memory',
      peers: ['goroutine, blocked'],
      expected: { atMost: 1 },
    },
    {
      what: 'JavaScript: a number to another rfork and back, 64 in flight',
      ours: 'rfork, 64 numbers in flight',
      peers: ['postMessage, 64 numbers in flight'],
      expected: { faster: 5 },
    },
    {
      what: 'JavaScript: a small object to another rfork and back, 64 in flight',
      ours: 'rfork, 64 objects in flight',
      peers: ['postMessage, 64 objects in flight'],
      expected: { faster: 5 },
    },
    {
      what: 'JavaScript: message round trip, both loops asleep',
      ours: 'domsg, loops asleep',
      peers: ['postMessage, loops asleep', 'Atomics.wait and notify'],
      expected: { atMost: 1 },
    },
  ],
};

const isOurs = (source) => source.startsWith('lwkt-');

function program(scratch, source) {
  return join(scratch, source.replace('.', '-'));
}

function hasHeader(compiler, language, header) {
  const input = `#include <${header}>\n`;
  return spawnSync(compiler, ['-fsyntax-only', '-x', language, '-'], { input }).status === 0;
}

/** What a source may need besides a compiler: a library, and the Debian package that has it. */
const LIBRARIES = [
  {
    prefix: 'lwkt-',
    here: () => exists('make', '--version'),
    missing: 'make',
    deb: 'make',
    link: (scratch) => [join(scratch, 'libcr', 'libcr.a')],
  },
  {
    prefix: 'fcontext',
    here: () => hasHeader(CXX, 'c++', 'boost/context/detail/fcontext.hpp'),
    missing: 'Boost.Context',
    deb: 'libboost-context-dev',
    link: () => ['-lboost_context'],
  },
  {
    prefix: 'boost-fiber',
    here: () => hasHeader(CXX, 'c++', 'boost/fiber/fiber.hpp'),
    missing: 'Boost.Fiber',
    deb: 'libboost-fiber-dev',
    link: () => ['-lboost_fiber', '-lboost_context'],
  },
  {
    prefix: 'pth-',
    here: () => hasHeader(CC, 'c', 'pth.h'),
    missing: 'GNU Pth',
    deb: 'libpth-dev',
    link: () => ['-lpth'],
  },
];
const library = (source) => LIBRARIES.find(({ prefix }) => source.startsWith(prefix));

function whyAbsent(source) {
  const needed = library(source);
  const lacking = missingCompiler(source) ?? (needed && !needed.here() ? needed : undefined);
  return lacking && `${lacking.missing} is not installed (Debian: ${lacking.deb})`;
}

/** A subject that is there twice, with other arguments, is built once. */
const built = new Set();

function build(scratch, source) {
  const target = program(scratch, source);
  if (built.has(target)) return;
  built.add(target);
  if (isOurs(source) && !built.has('libcr')) {
    const folder = join(scratch, 'libcr');
    run('make', ['-s', '-C', NATIVE, `CC=${CC}`, `BUILD=${folder}`, join(folder, 'libcr.a')]);
    built.add('libcr');
  }
  compile(source, target, {
    cwd: SOURCES,
    more: ['sample.go'],
    flags: isOurs(source) ? [`-I${join(NATIVE, 'include')}`] : [],
    link: library(source)?.link(scratch),
  });
}
