/** policy-evasion.test.ts: ways around a rule that are none: memory that changes, what can't be known, odd addresses, calls that take two names. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import fs from 'node:fs';
import { join } from 'node:path';
import { create, curthread } from '@libcr/core';
import { expect, test } from 'vitest';
import { constants as c, defineShim, type Shim, sys } from '../../src/index.ts';
import { type PolicyRule, type PolicyShim, policy } from '../../src/shims/policy/index.ts';
import { codeOf, onUserthread, temporaryFolder } from '../support.ts';

const folder = fs.realpathSync(temporaryFolder());
const at = (name: string): string => join(folder, name);
for (const name of ['secret', 'open', 'secret (deleted)']) {
  fs.mkdirSync(at(name));
  fs.writeFileSync(at(`${name}/key`), name);
}
const DENY: PolicyRule = { action: 'deny', path: at('secret/**'), errno: 'EPERM' };

const through = <R>(rules: PolicyRule[] | PolicyShim, fn: () => R, ...below: Shim[]): R => {
  const shim = Array.isArray(rules) ? policy(rules) : rules;
  return create(fn, { syscallPort: sys.with(shim, ...below) }).join() as R;
};
const closed = (call: () => number): unknown => codeOf(() => sys.close(call()));
const read = (fd: number): string => {
  const buffer = Buffer.alloc(64);
  const text = buffer.toString('utf8', 0, sys.read(fd, buffer));
  sys.close(fd);
  return text;
};

test(
  'names that end in " (deleted)", and folders that are deleted',
  onUserthread(() => {
    const odd = sys.open(at('secret (deleted)'), c.O_DIRECTORY);
    const secret = sys.open(at('secret'), c.O_DIRECTORY);
    through([{ ...DENY, path: at('secret \\(deleted\\)/**') }], () => {
      expect(closed(() => sys.openat(odd, 'key'))).toBe('EPERM');
      expect(closed(() => sys.openat(secret, 'key'))).toBe('no error');
    });
    through([DENY], () => {
      expect(closed(() => sys.openat(odd, 'key'))).toBe('no error');
      expect(closed(() => sys.openat(secret, 'key'))).toBe('EPERM');
    });
    fs.renameSync(at('secret (deleted)'), at('moved'));
    through([{ ...DENY, path: at('moved/**') }], () => {
      expect(closed(() => sys.openat(odd, 'key'))).toBe('EPERM'); // where it is now
    });
    fs.renameSync(at('moved'), at('secret (deleted)'));
    for (const fd of [odd, secret]) sys.close(fd);
  }),
);

test('what cannot be known is denied, counted and told; no rule allows it', async () => {
  const told: unknown[] = [];
  const decided: unknown[] = [];
  const tell = (event: unknown): void => {
    const { message, argument, reason } = event as {
      message: { name: string };
      argument: string;
      reason: string;
    };
    told.push([message.name, argument, reason]);
  };
  const decide = (event: unknown): void => {
    decided.push((event as { unknown: unknown }).unknown);
  };
  subscribe('libcr:syscalls:policy-unknown', tell);
  subscribe('libcr:syscalls:policy', decide);
  const shim = policy([
    { action: 'allow', path: `${folder}/**` },
    { action: 'log', path: '/nowhere' },
    { ...DENY, path: '/nowhere/**' },
  ]);
  await onUserthread(() => {
    fs.mkdirSync(at('gone'));
    const gone = sys.open(at('gone'), c.O_DIRECTORY);
    fs.rmdirSync(at('gone'));
    through(shim, () => {
      expect(closed(() => sys.openat(gone, '../open/key'))).toBe('EPERM');
      expect(closed(() => sys.open(at('open/key')))).toBe('no error');
      expect(closed(() => sys.open('/etc/passwd'))).toBe('no error');
      expect(closed(() => sys.openat(99_999, 'key'))).toBe('EBADF'); // the kernel can look nothing up there
      const [reader, writer] = sys.pipe();
      expect(closed(() => sys.openat(reader, 'key'))).toBe('ENOTDIR');
      expect(sys.statx(reader, '', c.AT_EMPTY_PATH).mode & c.S_IFMT).toBe(c.S_IFIFO);
      const unnamed = sys.open(folder, c.O_TMPFILE | c.O_RDWR);
      expect(sys.statx(unnamed, '', c.AT_EMPTY_PATH).nlink).toBe(0); // a file without a name is at no path
      for (const fd of [reader, writer, unnamed]) sys.close(fd);
    });
    sys.close(gone);
  })();
  unsubscribe('libcr:syscalls:policy-unknown', tell);
  unsubscribe('libcr:syscalls:policy', decide);
  const reason = 'it has been moved or removed, or is out of reach';
  expect(told).toEqual([['openat', 'path', reason]]);
  expect(decided).toEqual([
    { argument: 'path', reason },
    { argument: 'path', reason },
  ]);
  expect(shim.counts).toEqual({ denied: 1, logged: 1, unknown: 1 });
});

test(
  'what was judged is what the kernel gets: bytes that change meanwhile, views that lie, text that is none',
  onUserthread(() => {
    const shared = Buffer.from(new SharedArrayBuffer(folder.length + 12));
    const write = (name: string): void => {
      shared.fill('/');
      shared.write(at(name).padEnd(shared.length, '/'));
    };
    const change = defineShim({
      name: 'change',
      on: ['open'],
      shim: (next) => (msg) => {
        write('secret/key');
        return next(msg);
      },
    });
    fs.mkdirSync(at('open/deep'));
    through(
      [DENY],
      () => {
        write('open/deep');
        const fd = sys.openat(c.AT_FDCWD, shared, c.O_PATH);
        expect(fs.readlinkSync(`/proc/self/fd/${fd}`)).toBe(at('open/deep'));
        sys.close(fd);
      },
      change,
    );
    const lying = Buffer.from(at('secret/key'));
    Object.defineProperties(lying, {
      byteLength: { value: 0 },
      length: { value: 0 },
      buffer: { value: new ArrayBuffer(8) },
    });
    const lone = '\udc80\ud800';
    fs.writeFileSync(at(`secret/${lone}`), 'l');
    through([DENY], () => {
      expect(closed(() => sys.open(lying))).toBe('EPERM');
      const how = { flags: c.O_RDONLY, resolve: c.RESOLVE_IN_ROOT };
      const root = sys.open(folder, c.O_DIRECTORY);
      expect(closed(() => sys.openat2(root, '/secret/key', how))).toBe('EPERM');
      expect(read(sys.openat2(root, '/open/key', how))).toBe('open');
      sys.close(root);
    });
    through([{ ...DENY, path: at('secret/\ufffd\ufffd') }], () => {
      expect(closed(() => sys.open(at(`secret/${lone}`)))).toBe('EPERM'); // as the kernel gets it
    });
  }),
);

test(
  'allow is about all that a call names; the rest is denied',
  onUserthread(() => {
    const rules: PolicyRule[] = [
      { action: 'allow', path: [at('open'), at('open/**')] },
      { action: 'allow', on: ['close', 'getcwd', 'chdir', 'socket'] },
      { action: 'deny', errno: 'EPERM' },
    ];
    const outside = sys.open(at('secret'), c.O_DIRECTORY);
    through(rules, () => {
      expect(closed(() => sys.open(at('open/key')))).toBe('no error');
      for (const call of [
        () => sys.rename(at('open/key'), at('secret/new')),
        () => sys.rename(at('secret/key'), at('open/new')),
        () => sys.link(at('secret/key'), at('open/new')),
        () => sys.linkat(outside, 'key', c.AT_FDCWD, at('open/new')),
        () => sys.open(`${at('open')}/../secret/key`),
        () => sys.openat(outside, 'key'),
        () => sys.open(`/proc/self/fd/${outside}/key`),
        () => sys.fchdir(outside),
        () =>
          sys.raw(c.SYS_open_by_handle_at, outside, Buffer.alloc(8), 0) === -1 &&
          curthread().errno !== c.EPERM,
      ])
        expect([String(call), codeOf(call)]).toEqual([
          String(call),
          String(call).includes('raw') ? 'no error' : 'EPERM',
        ]);
      sys.rename(at('open/key'), at('open/other'));
      sys.rename(at('open/other'), at('open/key'));
    });
    sys.close(outside);
  }),
);

test(
  'once the root has changed no path is known',
  onUserthread(() => {
    const answers = defineShim({ name: 'answers', on: ['chroot', 'setns'], shim: () => () => 0 });
    const net = policy([DENY]);
    through(
      net,
      () => {
        expect(sys.raw(c.SYS_setns, 3, c.CLONE_NEWNET)).toBe(0);
        expect(closed(() => sys.open(at('open/key')))).toBe('no error');
        expect(sys.raw(c.SYS_chroot, at('open'))).toBe(0);
        expect([closed(() => sys.open('/key')), closed(() => sys.open(at('open/key')))]).toEqual([
          'EPERM',
          'EPERM',
        ]);
        expect(sys.getpid()).toBe(process.pid);
      },
      answers,
    );
    expect(net.counts).toEqual({ denied: 2, logged: 0, unknown: 2 });
  }),
);

test(
  'addresses as the kernel reads them: short ones, none of a family, as long as is said',
  onUserthread(() => {
    const answers = defineShim({ name: 'answers', on: ['connect', 'bind', 'sendto'], shim: () => () => 0 });
    const denied = (address: string, number: number, bytes: Buffer, length = bytes.length): boolean =>
      through(
        [{ action: 'deny', address, errno: 'EPERM' }],
        () => {
          const args =
            number === c.SYS_sendto ? [3, Buffer.alloc(1), 1, 0, bytes, length] : [3, bytes, length];
          return sys.raw(number, ...args) === -1;
        },
        answers,
      );
    const inet = (family: number): Buffer => Buffer.from([family, 0, 0, 53, 10, 0, 0, 7, ...Buffer.alloc(8)]);
    const inet6 = Buffer.concat([
      Buffer.from([c.AF_INET6, 0, 0, 53]),
      Buffer.alloc(4),
      Buffer.alloc(15),
      Buffer.from([1]),
      Buffer.alloc(4),
    ]);
    expect(denied('10.0.0.0/8:53', c.SYS_sendto, inet(c.AF_INET))).toBe(true);
    expect(denied('10.0.0.0/8:53', c.SYS_sendto, inet(c.AF_UNSPEC))).toBe(true); // a datagram goes there all the same
    expect(denied('10.0.0.0/8:53', c.SYS_bind, inet(c.AF_UNSPEC))).toBe(true);
    expect(denied('10.0.0.0/8:53', c.SYS_connect, inet(c.AF_UNSPEC))).toBe(false); // that disconnects
    expect(denied('::1', c.SYS_connect, inet6, 28)).toBe(true);
    expect(denied('::1', c.SYS_connect, inet6, 24)).toBe(true);
    expect(denied('::1', c.SYS_connect, inet6, 20)).toBe(false); // EINVAL
    const unix = Buffer.from(`\u0001\0${at('secret/socket')}`);
    expect(denied(at('secret/sock'), c.SYS_connect, unix, unix.length - 2)).toBe(true);
    expect(denied(at('secret/sock'), c.SYS_connect, unix)).toBe(false);
    const before = process.cwd();
    fs.mkdirSync(at('left'));
    sys.chdir(at('left'));
    fs.rmdirSync(at('left'));
    expect(denied('/anywhere', c.SYS_connect, Buffer.from('\u0001\0socket'))).toBe(true); // who knows
    sys.chdir(before);
  }),
);
