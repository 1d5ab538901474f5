/** policy-paths.test.ts: every path argument of the table, in every form in which the kernel takes one: what is denied is, what is not goes on. */
import fs from 'node:fs';
import { basename, join } from 'node:path';
import { create, curthread } from '@libcr/core';
import { expect, test } from 'vitest';
import { encodeSockaddr } from '../src/codec/net/sockaddr.ts';
import { type Argument, type CallName, type Row, rows } from '../src/generated/rows.ts';
import { constants as c, defineShim, sys } from '../src/index.ts';
import { hidden, looksUp, lookupOf } from '../src/shims/paths/lookups.ts';
import { policy } from '../src/shims/policy/index.ts';
import { onUserthread, temporaryFolder } from './support.ts';

const folder = fs.realpathSync(temporaryFolder());
const at = (name: string): string => join(folder, name);
for (const name of ['secret', 'open', 'gone']) {
  fs.mkdirSync(at(name));
  fs.writeFileSync(at(`${name}/key`), name);
}

/** A struct open_how. */
function openHow(resolve: number): Buffer {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(resolve), 16);
  return how;
}

/** Something for an argument that is not looked at. */
function filler({ format }: Argument): unknown {
  if (format === 'path') return at('open/key');
  if (format === 'fd') return c.AT_FDCWD;
  if (format === 'text' || format === 'null') return null;
  if (format === 'openHow') return openHow(0);
  return /^(int|flags|octal|id|fileMode|device)$/.test(format) ? 0 : Buffer.alloc(256);
}

const DENIED = -c.EPERM;
const REACHED = -c.EXFULL;

/** The call that is being made. */
let current: { row: Row; args: readonly unknown[]; index: number };

/** Instead of the kernel for that call only: the policy's own looks go to the real one. What is filled in is the call's alone. */
const kernel = defineShim({
  name: 'kernel',
  on: 'all',
  shim: (next) => (msg) => {
    const { row, args, index } = current;
    const isIt =
      msg.number === row.number &&
      isSame(msg.args[index], args[index]) &&
      row.args.every(({ out }, i) => !out || msg.args[i] === args[i]);
    return isIt ? REACHED : next(msg);
  },
});
const port = sys.with(kernel).with(policy([{ action: 'deny', path: at('secret/**'), errno: 'EPERM' }]));

/** What comes of a call below the policy. */
function outcome(row: Row, args: readonly unknown[], index: number): number {
  current = { row, args, index };
  return create(() => (sys.raw(row.number, ...args) === -1 ? -curthread().errno : 0), {
    syscallPort: port,
  }).join() as number;
}

const isSame = (one: unknown, other: unknown): boolean =>
  ArrayBuffer.isView(one) && ArrayBuffer.isView(other)
    ? Buffer.compare(one as Buffer, other as Buffer) === 0
    : one === other;

interface Form {
  path: unknown;
  dirfd?: number;
  resolve?: number;
}

/** Every way to say NAME/key, from where the process and the descriptors are. `which`: its folder's, and its own. */
function formsOf(
  name: string,
  fds: { root: number; folder: number; key: number },
  row: Row,
  arg: Argument,
): Form[] {
  const base = basename(folder);
  const lookup = lookupOf(row.name, arg.name);
  const absolute = [
    at(`${name}/key`),
    `${folder}//${name}///key`,
    `${folder}/open/../${name}/./key`,
    `/../..${folder}/${name}/key`,
    `${folder}/${name}/key/`,
    `${folder}/${name}/x/../key`,
    Buffer.from(at(`${name}/key`)),
    `/proc/self/cwd/${name}/key`,
    `/proc/self/cwd/../${base}/${name}/key`,
    `/proc/${process.pid}/cwd/${name}/key`,
    `/proc/thread-self/cwd/${name}/key`,
    `/proc/thread-self/../../cwd/${name}/key`,
    `/proc/self/root${folder}/${name}/key`,
    `/proc/self/fd/${fds.root}/${name}/key`,
    `//proc/./self/fd/${fds.folder}/key`,
    `/dev/fd/${fds.folder}/../${name}/key`,
    `/dev/fd/../cwd/${name}/key`,
    `/proc/self/fd/${fds.folder}/`,
    ...(lookup?.last === 'follow' || lookup?.last === 'open'
      ? [`/proc/self/fd/${fds.key}`, `/dev/fd/${fds.key}`, `/proc/self/fd/../fd/${fds.key}`]
      : []),
  ].map((path): Form => ({ path }));
  const relative = [
    `${name}/key`,
    `./${name}//key`,
    `../${base}/${name}/key`,
    `open/../${name}/key`,
    Buffer.from(`${name}/key`),
  ];
  const forms: Form[] = [...absolute, ...relative.map((path) => ({ path }))];
  const i = row.args.indexOf(arg);
  if (row.args[i - 1]?.format !== 'fd' || row.name === 'inotify_add_watch') return forms;
  forms.push(
    ...relative.map((path) => ({ path, dirfd: fds.root })),
    { path: 'key', dirfd: fds.folder },
    { path: `../x/../${name}/key`, dirfd: fds.folder },
    { path: '.', dirfd: fds.folder },
    { path: 'key', dirfd: fds.folder },
    { path: `${name}/key`, dirfd: c.AT_FDCWD >>> 0 },
    { path: '', dirfd: fds.key },
    { path: '', dirfd: fds.folder },
  );
  if (row.name === 'openat2')
    forms.push(
      { path: `/${name}/key`, dirfd: fds.root, resolve: c.RESOLVE_IN_ROOT },
      { path: `../../${name}/key`, dirfd: fds.root, resolve: c.RESOLVE_IN_ROOT },
      { path: '/key', dirfd: fds.folder, resolve: c.RESOLVE_IN_ROOT },
      { path: '/..', dirfd: fds.folder, resolve: c.RESOLVE_IN_ROOT },
      { path: `${name}/key`, dirfd: fds.root, resolve: c.RESOLVE_BENEATH },
      { path: `open/../${name}/key`, dirfd: fds.root, resolve: c.RESOLVE_BENEATH | c.RESOLVE_NO_XDEV },
      { path: 'key', dirfd: fds.folder, resolve: c.RESOLVE_NO_SYMLINKS | c.RESOLVE_NO_MAGICLINKS },
    );
  return forms;
}

const asked: [Row, Argument][] = rows.flatMap((row) =>
  row.args
    .filter(({ name }) => lookupOf(row.name, name) !== undefined)
    .map((arg): [Row, Argument] => [row, arg]),
);

test('each argument of format "path" has a way in which it is looked up, and nothing else has one', () => {
  const text = new Set<CallName>(['symlink', 'symlinkat']);
  for (const row of rows)
    for (const [i, { name, format }] of row.args.entries()) {
      const isPath = format === 'path' && !(i === 0 && text.has(row.name));
      const isSource = row.name === 'mount' && name === 'source';
      expect([row.name, name, lookupOf(row.name, name) !== undefined]).toEqual([
        row.name,
        name,
        isPath || isSource,
      ]);
    }
  expect(rows.filter(({ name }) => looksUp(name) && hidden.has(name))).toEqual([]);
  expect(asked.length).toBeGreaterThan(70);
});

test(
  'every path argument, in every form',
  onUserthread(() => {
    const before = process.cwd();
    sys.chdir(folder);
    const root = sys.open(folder, c.O_DIRECTORY);
    const fdsOf = (name: string) => ({
      root,
      folder: sys.open(at(name), c.O_DIRECTORY),
      key: sys.open(at(`${name}/key`)),
    });
    const fds = { secret: fdsOf('secret'), open: fdsOf('open') };
    let forms = 0;
    const wrong: object[] = [];
    for (const [row, arg] of asked) {
      const index = row.args.indexOf(arg);
      for (const name of ['secret', 'open'] as const)
        for (const { path, dirfd, resolve } of formsOf(name, fds[name], row, arg)) {
          const args = row.args.map(filler);
          args[index] = path;
          if (dirfd !== undefined) args[index - 1] = dirfd;
          if (resolve !== undefined) {
            args[2] = openHow(resolve);
            args[3] = 24;
          }
          const reply = outcome(row, args, index);
          if (reply !== (name === 'secret' ? DENIED : REACHED))
            wrong.push({ call: row.name, arg: arg.name, path: String(path), dirfd, resolve, reply });
          forms++;
        }
    }
    expect(wrong).toEqual([]);
    expect(forms).toBeGreaterThan(4000);
    sys.chdir(before);
  }),
);

test(
  'every path argument, from where nobody knows where it is',
  onUserthread(() => {
    const before = process.cwd();
    const gone = sys.open(at('gone'), c.O_DIRECTORY);
    sys.chdir(at('gone'));
    fs.rmSync(at('gone'), { recursive: true });
    for (const [row, arg] of asked) {
      const index = row.args.indexOf(arg);
      const hasFolder = row.args[index - 1]?.format === 'fd' && row.name !== 'inotify_add_watch';
      for (const [path, dirfd] of [
        ['x', c.AT_FDCWD],
        ['../secret/key', c.AT_FDCWD],
        ['/proc/self/cwd/../secret/key', c.AT_FDCWD],
        [`/proc/self/fd/${gone}/../secret/key`, c.AT_FDCWD],
        ...(hasFolder ? [['../secret/key', gone] as const, ['x', gone] as const] : []),
      ] as const) {
        const args = row.args.map(filler);
        args[index] = path;
        if (hasFolder) args[index - 1] = dirfd;
        expect([row.name, arg.name, path, outcome(row, args, index)]).toEqual([
          row.name,
          arg.name,
          path,
          DENIED,
        ]);
      }
    }
    sys.chdir(before);
    for (const name of hidden.keys()) {
      const row = rows.find((each) => each.name === name) as Row;
      expect([name, outcome(row, row.args.map(filler), 0)]).toEqual([name, DENIED]);
    }
  }),
);

test(
  'unix sockets: every call with an address',
  onUserthread(() => {
    const before = process.cwd();
    sys.chdir(folder);
    const address = (path: string): Buffer => encodeSockaddr('address', { family: 'unix', path });
    const data = Buffer.from('x');
    const header = (): Buffer => Buffer.alloc(16);
    const calls: Record<string, (to: Buffer, length: number) => unknown[]> = {
      connect: (to, length) => [3, to, length],
      bind: (to, length) => [3, to, length],
      sendto: (to, length) => [3, data, 1, 0, to, length],
      sendmsg: (to, length) => [3, [to.subarray(0, length), [data], null, header()], 0],
      sendmmsg: (to, length) => [
        3,
        [
          [null, [data], null, header()],
          [to.subarray(0, length), [data], null, header()],
        ],
        2,
        0,
      ],
    };
    for (const [name, argsOf] of Object.entries(calls)) {
      const row = rows.find((each) => each.name === name) as Row;
      const outcomeOf = (path: string, length?: number): number => {
        const to = address(path);
        return outcome(row, argsOf(to, length ?? to.length), 0);
      };
      for (const path of [
        'secret/s',
        at('secret/s'),
        'open/../secret/s',
        '/proc/self/cwd/secret/s',
        './secret',
      ])
        expect([name, path, outcomeOf(path)]).toEqual([name, path, DENIED]);
      for (const path of ['open/s', at('s'), `\0${at('secret/s')}`, 'secretive'])
        expect([name, path, outcomeOf(path)]).toEqual([name, path, REACHED]);
      expect([name, outcomeOf('secretive', 2 + 'secret'.length)]).toEqual([name, DENIED]); // no more is said to be there
    }
    sys.chdir(before);
  }),
);
