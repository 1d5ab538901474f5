/**
 * policy-paths.test.ts: the path arguments of all calls, in every form in which the kernel takes one, as a program makes them: what is denied is, what is not goes on. Each argument is tried in
 * some of the forms, and each form with several arguments; LIBCR_POLICY_PATHS=all tries all with all.
 */
import fs from 'node:fs';
import { basename, join } from 'node:path';
import { curthread, wait } from '@libcr/core';
import { constants as c, defineShim, sys } from '@libcr/syscalls';
import { policy } from '@libcr/syscalls/shims/policy';
import { expect, test } from 'vitest';
import { type Argument, type Row, rows } from '../../../syscalls/src/generated/rows.ts';
import { hidden, lookupOf } from '../../../syscalls/src/shims/paths/lookups.ts';
import { onUserthread } from '../../../syscalls/test/support.ts';
import { scratch } from '../programs.ts';
import { ToldProgram } from './made-by-program.ts';

const EVERY = process.env.LIBCR_POLICY_PATHS === 'all' ? 1 : 7;
const folder = fs.realpathSync(scratch);
const at = (name: string): string => join(folder, name);
for (const name of ['secret', 'open', 'gone']) {
  fs.mkdirSync(at(name));
  fs.writeFileSync(at(`${name}/key`), name);
}

/** Something for an argument that is not looked at. */
function filler({ format }: Argument): unknown {
  if (format === 'path') return at('open/key');
  if (format === 'fd') return c.AT_FDCWD;
  if (format === 'text' || format === 'null') return null;
  if (format === 'openHow') return Buffer.alloc(24);
  return /^(int|flags|octal|id|fileMode|device)$/.test(format) ? 0 : Buffer.alloc(256);
}

const DENIED = -c.EPERM;
const REACHED = -c.EXFULL;

/** The call that is being made. */
let current: { row: Row; args: readonly unknown[]; index: number };

const textOf = (value: unknown): unknown =>
  ArrayBuffer.isView(value) ? Buffer.from(value as Buffer).toString() : value;
const number = (value: unknown): unknown => (typeof value === 'number' ? value | 0 : value);

/** What the program's call has the kernel fill lies in its slot. */
const isThePrograms = (value: unknown): boolean =>
  !ArrayBuffer.isView(value) || value.buffer.byteLength > 2 ** 20;

/** Instead of the kernel for that call only: the policy's own looks go to the real one. */
const kernel = defineShim({
  name: 'kernel',
  on: 'all',
  shim: (next) => (msg) => {
    const { row, args, index } = current;
    const isIt =
      msg.number === row.number &&
      textOf(msg.args[index]) === textOf(args[index]) &&
      row.args.every(({ out }, i) => !out || isThePrograms(msg.args[i])) &&
      row.args.every(
        ({ format }, i) =>
          i === index || !/^(fd|flags|octal)$/.test(format) || number(msg.args[i]) === number(args[i]),
      );
    return isIt ? REACHED : next(msg);
  },
});

/** Every way to say NAME/key, from where the process and the descriptors are. `which`: its folder's, and its own. */
function formsOf(
  name: string,
  pid: number,
  fds: { root: number; folder: number; key: number },
  row: Row,
  arg: Argument,
) {
  const base = basename(folder);
  const lookup = lookupOf(row.name, arg.name);
  const absolute = [
    at(`${name}/key`),
    `${folder}//${name}///key`,
    `${folder}/open/../${name}/./key`,
    `/../..${folder}/${name}/key`,
    `${folder}/${name}/key/`,
    Buffer.from(at(`${name}/key`)),
    `/proc/self/cwd/${name}/key`,
    `/proc/self/cwd/../${base}/${name}/key`,
    `/proc/${pid}/cwd/${name}/key`,
    `/proc/${pid}/task/${pid}/cwd/${name}/key`,
    `/proc/thread-self/cwd/${name}/key`,
    `/proc/thread-self/../../cwd/${name}/key`,
    `/proc/self/root${folder}/${name}/key`,
    `/proc/self/fd/${fds.root}/${name}/key`,
    `/proc/${pid}/fd/${fds.root}/${name}/key`,
    `//proc/./self/fd/${fds.folder}/key`,
    `/dev/fd/${fds.folder}/../${name}/key`,
    `/dev/fd/../cwd/${name}/key`,
    ...(lookup?.last === 'follow' || lookup?.last === 'open'
      ? [`/proc/self/fd/${fds.key}`, `/dev/fd/${fds.key}`, `/proc/${pid}/fd/${fds.key}`]
      : []),
  ];
  const relative = [`${name}/key`, `./${name}//key`, `../${base}/${name}/key`, `open/../${name}/key`];
  const forms: { path: unknown; dirfd?: number }[] = [...absolute, ...relative].map((path) => ({ path }));
  const i = row.args.indexOf(arg);
  if (row.args[i - 1]?.format !== 'fd' || row.name === 'inotify_add_watch') return forms;
  return [
    ...forms,
    ...relative.map((path) => ({ path, dirfd: fds.root })),
    { path: 'key', dirfd: fds.folder },
    { path: `../x/../${name}/key`, dirfd: fds.folder },
    { path: '.', dirfd: fds.folder },
    { path: `${name}/key`, dirfd: c.AT_FDCWD >>> 0 },
    { path: '', dirfd: fds.key },
    { path: '', dirfd: fds.folder },
  ];
}

const asked: [Row, Argument][] = rows.flatMap((row) =>
  row.args
    .filter(({ name }) => lookupOf(row.name, name) !== undefined)
    .map((arg): [Row, Argument] => [row, arg]),
);

test(
  'every path argument, in the forms that the kernel takes',
  onUserthread(() => {
    const program = new ToldProgram([]);
    const { pid } = program;
    const fds = program.inside(() => {
      sys.chdir(folder);
      const root = sys.open(folder, c.O_DIRECTORY);
      const fdsOf = (name: string) => ({
        root,
        folder: sys.open(at(name), c.O_DIRECTORY),
        key: sys.open(at(`${name}/key`)),
      });
      return { secret: fdsOf('secret'), open: fdsOf('open') };
    });
    program.shim(policy([{ action: 'deny', path: at('secret/**'), errno: 'EPERM' }]), kernel);
    const outcome = (row: Row, args: readonly unknown[], index: number): number => {
      current = { row, args, index };
      return program.inside(() => (sys.raw(row.number, ...args) === -1 ? -curthread().errno : 0));
    };
    const wrong: object[] = [];
    let [forms, n] = [0, 0];
    for (const [row, arg] of asked) {
      const index = row.args.indexOf(arg);
      for (const name of ['secret', 'open'] as const)
        for (const { path, dirfd } of formsOf(name, pid, fds[name], row, arg)) {
          if (n++ % EVERY !== 0) continue;
          const args = row.args.map(filler);
          args[index] = path;
          if (dirfd !== undefined) args[index - 1] = dirfd;
          const reply = outcome(row, args, index);
          if (reply !== (name === 'secret' ? DENIED : REACHED))
            wrong.push({ call: row.name, arg: arg.name, path: String(path), dirfd, reply });
          forms++;
        }
    }
    expect(wrong).toEqual([]);
    expect(forms).toBeGreaterThan(3500 / EVERY);
    wait(program.end());
  }),
);

test(
  'from where nobody knows where it is: denied; and so are calls that look up what no shim sees',
  onUserthread(() => {
    const program = new ToldProgram([]);
    const gone = program.inside(() => {
      const fd = sys.open(at('gone'), c.O_DIRECTORY);
      sys.chdir(at('gone'));
      return fd;
    });
    fs.rmSync(at('gone'), { recursive: true });
    program.shim(policy([{ action: 'deny', path: at('secret/**'), errno: 'EPERM' }]), kernel);
    const outcome = (row: Row, args: readonly unknown[], index: number): number => {
      current = { row, args, index };
      return program.inside(() => (sys.raw(row.number, ...args) === -1 ? -curthread().errno : 0));
    };
    for (const [row, arg] of asked.filter((_, i) => i % EVERY === 0)) {
      const index = row.args.indexOf(arg);
      for (const path of [
        'x',
        '../secret/key',
        '/proc/self/cwd/../secret/key',
        `/proc/self/fd/${gone}/../secret/key`,
      ]) {
        const args = row.args.map(filler);
        args[index] = path;
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
    wait(program.end());
  }),
);
