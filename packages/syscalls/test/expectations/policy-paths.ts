/**
 * policy-paths.ts: every path argument of the table, in every form in which the kernel takes one, whoever makes the call: what is denied is, what is not goes on. Of a
 * program's calls each argument is tried in some of the forms, and each form with several arguments; LIBCR_POLICY_PATHS=all tries all with all.
 */
import fs from 'node:fs';
import { basename, join } from 'node:path';
import { curthread } from '@libcr/core';
import { expect, test } from 'vitest';
import { encodeSockaddr } from '../../src/codec/net/sockaddr.ts';
import { type Argument, type Row, rows } from '../../src/generated/rows.ts';
import { constants as c, defineShim, sys } from '../../src/index.ts';
import { hidden, lookupOf } from '../../src/shims/paths/lookups.ts';
import { policy } from '../../src/shims/policy/index.ts';
import { onUserthread, temporaryFolder } from '../support.ts';
import type { Caller, Way } from './caller.ts';

/** The path arguments that there are. */
export const asked: [Row, Argument][] = rows.flatMap((row) =>
  row.args
    .filter(({ name }) => lookupOf(row.name, name) !== undefined)
    .map((arg): [Row, Argument] => [row, arg]),
);

const DENIED = -c.EPERM;
const REACHED = -c.EXFULL;

/** A struct open_how. */
function openHow(resolve: number): Buffer {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(resolve), 16);
  return how;
}

interface Form {
  path: unknown;
  dirfd?: number;
  resolve?: number;
}

const textOf = (value: unknown): unknown =>
  ArrayBuffer.isView(value) ? Buffer.from(value as Buffer).toString() : value;
const number = (value: unknown): unknown => (typeof value === 'number' ? value | 0 : value);

export function expectPolicyOfPaths(way: Way): void {
  const every = way.isProgram && process.env.LIBCR_POLICY_PATHS !== 'all' ? 7 : 1;
  const folder = fs.realpathSync(temporaryFolder());
  const at = (name: string): string => join(folder, name);
  for (const name of ['secret', 'open', 'gone']) {
    fs.mkdirSync(at(name));
    fs.writeFileSync(at(`${name}/key`), name);
  }

  /** Something for an argument that is not looked at. */
  const filler = ({ format }: Argument): unknown => {
    if (format === 'path') return at('open/key');
    if (format === 'fd') return c.AT_FDCWD;
    if (format === 'text' || format === 'null') return null;
    if (format === 'openHow') return openHow(0);
    return /^(int|flags|octal|id|fileMode|device)$/.test(format) ? 0 : Buffer.alloc(256);
  };

  /** The call that is being made. */
  let current: { row: Row; args: readonly unknown[]; index: number };

  /** What is filled in is the call's alone: a program's lies in its slot. */
  const isFilledIn = (value: unknown, given: unknown): boolean =>
    way.isProgram ? !ArrayBuffer.isView(value) || value.buffer.byteLength > 2 ** 20 : value === given;

  /** Instead of the kernel for that call only: the policy's own looks go to the real one. */
  const kernel = defineShim({
    name: 'kernel',
    on: 'all',
    shim: (next) => (msg) => {
      const { row, args, index } = current;
      const isIt =
        msg.number === row.number &&
        textOf(msg.args[index]) === textOf(args[index]) &&
        row.args.every(({ out }, i) => !out || isFilledIn(msg.args[i], args[i])) &&
        row.args.every(
          ({ format }, i) =>
            i === index || !/^(fd|flags|octal)$/.test(format) || number(msg.args[i]) === number(args[i]),
        );
      return isIt ? REACHED : next(msg);
    },
  });
  const rules = policy([{ action: 'deny', path: at('secret/**'), errno: 'EPERM' }]);

  /** What comes of a call below the policy. */
  const outcomeOf =
    (caller: Caller) =>
    (row: Row, args: readonly unknown[], index: number): number => {
      current = { row, args, index };
      return caller.inside(() => (sys.raw(row.number, ...args) === -1 ? -curthread().errno : 0));
    };

  /** Every way to say NAME/key, from where the process and the descriptors are. `fds`: its folder's, and its own. */
  function formsOf(
    name: string,
    pid: number,
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
      `/proc/${pid}/cwd/${name}/key`,
      ...(way.isProgram ? [`/proc/${pid}/task/${pid}/cwd/${name}/key`] : []),
      `/proc/thread-self/cwd/${name}/key`,
      `/proc/thread-self/../../cwd/${name}/key`,
      `/proc/self/root${folder}/${name}/key`,
      `/proc/self/fd/${fds.root}/${name}/key`,
      `/proc/${pid}/fd/${fds.root}/${name}/key`,
      `//proc/./self/fd/${fds.folder}/key`,
      `/dev/fd/${fds.folder}/../${name}/key`,
      `/dev/fd/../cwd/${name}/key`,
      `/proc/self/fd/${fds.folder}/`,
      ...(lookup?.last === 'follow' || lookup?.last === 'open'
        ? [
            `/proc/self/fd/${fds.key}`,
            `/dev/fd/${fds.key}`,
            `/proc/self/fd/../fd/${fds.key}`,
            `/proc/${pid}/fd/${fds.key}`,
          ]
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

  test(
    'every path argument, in the forms that the kernel takes',
    onUserthread(() => {
      const caller = way.begin([]);
      const fds = caller.inside(() => {
        sys.chdir(folder);
        const root = sys.open(folder, c.O_DIRECTORY);
        const fdsOf = (name: string) => ({
          root,
          folder: sys.open(at(name), c.O_DIRECTORY),
          key: sys.open(at(`${name}/key`)),
        });
        return { secret: fdsOf('secret'), open: fdsOf('open') };
      });
      caller.shim(rules, kernel);
      const outcome = outcomeOf(caller);
      const wrong: object[] = [];
      let [forms, n] = [0, 0];
      for (const [row, arg] of asked) {
        const index = row.args.indexOf(arg);
        for (const name of ['secret', 'open'] as const)
          for (const { path, dirfd, resolve } of formsOf(name, caller.pid, fds[name], row, arg)) {
            if (resolve === undefined && n++ % every !== 0) continue;
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
      expect(forms).toBeGreaterThan(4000 / every);
      caller.end();
    }),
  );

  test(
    'every path argument, from where nobody knows where it is; and calls that look up what no shim sees',
    onUserthread(() => {
      fs.mkdirSync(at('gone'), { recursive: true });
      const caller = way.begin([]);
      const gone = caller.inside(() => {
        const fd = sys.open(at('gone'), c.O_DIRECTORY);
        sys.chdir(at('gone'));
        return fd;
      });
      fs.rmSync(at('gone'), { recursive: true });
      const guard = caller.shim(rules, kernel);
      const outcome = outcomeOf(caller);
      for (const [row, arg] of asked.filter((_, i) => i % every === 0)) {
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
      for (const name of hidden.keys()) {
        const row = rows.find((each) => each.name === name) as Row;
        expect([name, outcome(row, row.args.map(filler), 0)]).toEqual([name, DENIED]);
      }
      guard[Symbol.dispose]();
      caller.inside(() => sys.close(gone));
      caller.end();
    }),
  );

  test(
    'unix sockets: every call with an address',
    onUserthread(() => {
      const caller = way.begin([]);
      caller.inside(() => sys.chdir(folder));
      caller.shim(rules, kernel);
      const outcome = outcomeOf(caller);
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
        const replyTo = (path: string, length?: number): number => {
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
          expect([name, path, replyTo(path)]).toEqual([name, path, DENIED]);
        for (const path of ['open/s', at('s'), `\0${at('secret/s')}`, 'secretive'])
          expect([name, path, replyTo(path)]).toEqual([name, path, REACHED]);
        expect([name, replyTo('secretive', 2 + 'secret'.length)]).toEqual([name, DENIED]); // no more is said to be there
      }
      caller.end();
    }),
  );
}
