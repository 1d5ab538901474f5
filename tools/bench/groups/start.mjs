// The group "start": what it costs a program to import the packages, and `lwkt run` against node with tsx, from spawn to exit.
//
// Invariant: all of a row do the same: the imports are compared with that of an empty module, by the same script (subjects/start/import.mjs).
const MS = 1e6;
const MIB = 1024 * 1024;

const script = (...command) => ({ wholeProcess: true, command: () => command });
const hello = (extension) => `tools/bench/subjects/start/hello.${extension}`;

const imported = (what, name, most) => [
  {
    what: `import ${what}: time more than without`,
    ours: `imports: ${name}`,
    peers: [],
    expected: { most: most * MS },
  },
  {
    what: `import ${what}: user CPU time more than without`,
    ours: `imports: ${name}, CPU`,
    peers: [],
  },
];

export const group = {
  name: 'start',
  what: 'the beginning of a program; minima of imports, medians of whole processes',
  needs: [
    'packages/core/dist/index.js',
    'packages/syscalls/dist/fs.js',
    'apps/lwkt/dist/cli.js',
    'node_modules/tsx/package.json',
  ],

  subjects: {
    imports: { command: () => ['tools/bench/subjects/start/imports.mjs'] },
    'lwkt run, hello.ts': script('apps/lwkt/bin/lwkt.js', 'run', hello('ts')),
    'node with tsx, hello.ts': script('--import', 'tsx', hello('ts')),
    'lwkt run, hello.cts': script('apps/lwkt/bin/lwkt.js', 'run', hello('cts')),
    'node with tsx, hello.cts': script('--import', 'tsx', hello('cts')),
  },
  rows: [
    ...imported("'@libcr/core'", 'core', 15),
    ...imported("'@libcr/syscalls' after it", 'syscalls', 20),
    ...imported("'@libcr/syscalls/fs' after that", 'fs', 15),
    {
      what: 'memory of all three imports, over that of an empty module',
      unit: 'bytes',
      ours: 'imports: memory',
      peers: [],
      expected: { most: 6 * MIB },
    },
    {
      what: 'lwkt run hello.ts, an ES module',
      ours: 'lwkt run, hello.ts',
      peers: ['node with tsx, hello.ts'],
      expected: { atMost: 1.15 },
    },
    {
      what: 'lwkt run hello.cts, CommonJS',
      ours: 'lwkt run, hello.cts',
      peers: ['node with tsx, hello.cts'],
      expected: { atMost: 1.15 },
    },
  ],
};
