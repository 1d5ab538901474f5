/** policy.test.ts: the policy shim: rules in order, by call and by path. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import fs from 'node:fs';
import { join } from 'node:path';
import { create } from '@libcr/core';
import { expect, test } from 'vitest';
import { constants as c, sys } from '../src/index.ts';
import { type PolicyRule, policy } from '../src/shims/policy/index.ts';
import { codeOf, errorOf, onUserthread, randomOf, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
fs.mkdirSync(at('secret/.deep/er'), { recursive: true });
fs.writeFileSync(at('secret/key'), 'k');
fs.writeFileSync(at('secret/.deep/er/key'), 'k');
fs.writeFileSync(at('open'), 'o');

const under = <R>(rules: PolicyRule[], fn: () => R): R =>
  create(fn, { syscallPort: sys.with(policy(rules)) }).join() as R;
const opens = (path: string): unknown => codeOf(() => sys.close(sys.open(path)));

test(
  'denies by path: globs, relative paths, paths with dots, open and openat',
  onUserthread(() => {
    under([{ action: 'deny', on: ['openat'], path: at('secret/**') }], () => {
      expect(errorOf(() => sys.open(at('secret/key')))).toMatchObject({
        code: 'EACCES',
        syscall: 'open',
        path: at('secret/key'),
      });
      const denied = [
        at('secret'),
        at('secret/.deep/er/key'),
        at('open/../secret/key'),
        `${folder}//secret/./key`,
      ];
      for (const path of denied) expect([path, opens(path)]).toEqual([path, 'EACCES']);
      expect(codeOf(() => sys.openat(c.AT_FDCWD, Buffer.from(at('secret/key'))))).toBe('EACCES');
      expect(opens(at('open'))).toBe('no error');
      expect(opens(at('secretive'))).toBe('ENOENT');
      const dirfd = sys.open(folder, c.O_DIRECTORY);
      expect(codeOf(() => sys.openat(dirfd, 'secret/key'))).toBe('EACCES');
      expect(codeOf(() => sys.close(sys.openat(dirfd, 'open')))).toBe('no error');
      sys.close(dirfd);
      expect(sys.statx(c.AT_FDCWD, at('secret/key')).size).toBe(1); // only open was named
    });
    const before = process.cwd();
    process.chdir(at('secret'));
    under([{ action: 'deny', path: at('secret/*') }], () => {
      expect(opens('key')).toBe('EACCES');
      expect(opens('.deep/er/key')).toBe('no error'); // * stops at a slash
    });
    process.chdir(before);
  }),
);

test(
  'paths as the kernel takes them: after sys.chdir, from a removed directory, with a newline, AT_FDCWD without its sign',
  onUserthread(() => {
    const odd = at('secret/two\nlines');
    fs.writeFileSync(odd, 'k');
    fs.mkdirSync(at('gone'));
    const before = process.cwd(); // Node remembers it from here on
    under([{ action: 'deny', path: at('secret/**'), errno: 'EPERM' }], () => {
      expect([opens(odd), opens(Buffer.from(odd) as never)]).toEqual(['EPERM', 'EPERM']);
      sys.chdir(folder);
      try {
        expect([opens('secret/key'), opens('open')]).toEqual(['EPERM', 'no error']);
        expect(codeOf(() => sys.openat(c.AT_FDCWD >>> 0, 'secret/key'))).toBe('EPERM');
        sys.chdir(at('gone'));
        fs.rmdirSync(at('gone'));
        expect(opens('x')).toBe('EPERM'); // it is at no path, so nobody knows
      } finally {
        sys.chdir(before);
      }
    });
    fs.unlinkSync(odd);
  }),
);

test(
  'the first rule that fits decides',
  onUserthread(() => {
    const rules: PolicyRule[] = [
      { action: 'allow', path: at('secret/key') },
      { action: 'deny', path: [at('secret/**'), '/nowhere/**'], errno: 'ENOENT' },
      { action: 'deny', on: ['mkdir', 'unlink', 'rename', 'symlink'], errno: 'EROFS' },
    ];
    under(rules, () => {
      expect(opens(at('secret/key'))).toBe('no error');
      expect(opens(at('secret/.deep/er/key'))).toBe('ENOENT');
      expect(codeOf(() => sys.mkdir(at('new')))).toBe('EROFS');
      expect(codeOf(() => sys.rename(at('open'), at('secret/x')))).toBe('ENOENT');
      expect(codeOf(() => sys.rename(at('open'), at('other')))).toBe('EROFS');
      expect(codeOf(() => sys.symlink(at('secret/.deep'), at('link')))).toBe('EROFS'); // its text is no path
    });
    expect(fs.existsSync(at('new'))).toBe(false);
  }),
);

test(
  'families: what is denied by one name is by the others; relative paths begin where the kernel begins',
  onUserthread(() => {
    const dirfd = sys.open(folder, c.O_DIRECTORY);
    const secret = sys.open(at('secret'), c.O_DIRECTORY);
    const rules: PolicyRule[] = [
      { action: 'deny', on: ['open', 'symlink', 'rename', 'unlink'], path: at('secret/**'), errno: 'EPERM' },
    ];
    under(rules, () => {
      const denied = [
        () => sys.openat2(dirfd, 'secret/key', { flags: c.O_RDONLY }),
        () => sys.creat(at('secret/key')),
        () => sys.symlinkat('x', secret, 'link'),
        () => sys.renameat(dirfd, 'open', secret, 'open'),
        () => sys.renameat2(secret, 'key', dirfd, 'key', 0),
        () => sys.unlinkat(secret, 'key'),
      ];
      expect(denied.map((call) => codeOf(call))).toEqual(denied.map(() => 'EPERM'));
      sys.symlinkat('secret/key', dirfd, 'text'); // what a link says is no path of the call
      sys.unlinkat(dirfd, 'text');
      expect(codeOf(() => sys.openat(99_999, 'secret/key'))).toBe('EBADF');
    });
    expect([fs.readdirSync(at('secret')).sort(), fs.existsSync(at('open'))]).toEqual([
      ['.deep', 'key'],
      true,
    ]);
    sys.close(dirfd);
    sys.close(secret);
  }),
);

test(
  'calls without a path; everything',
  onUserthread(() => {
    under([{ action: 'deny', on: ['socket'], errno: 'EPERM' }], () => {
      expect(codeOf(() => sys.socket(c.AF_INET, c.SOCK_STREAM))).toBe('EPERM');
      expect(sys.getpid()).toBe(process.pid);
    });
    under([{ action: 'deny' }], () => {
      expect([codeOf(() => sys.getpid()), opens('/')]).toEqual(['EACCES', 'EACCES']);
    });
  }),
);

test('log and deny tell the diagnostics channel', async () => {
  const seen: unknown[] = [];
  const listen = (decision: unknown): void => {
    const { rule, message, path } = decision as { rule: PolicyRule; message: { name: string }; path: string };
    seen.push([rule.action, message.name, path]);
  };
  subscribe('libcr:syscalls:policy', listen);
  await onUserthread(() =>
    under(
      [
        { action: 'log', on: ['open'] },
        { action: 'deny', path: at('secret/**') },
      ],
      () => {
        opens(at('open'));
        opens(at('secret/key'));
      },
    ),
  )();
  unsubscribe('libcr:syscalls:policy', listen);
  expect(seen).toEqual([
    ['log', 'open', at('open')],
    ['log', 'open', at('secret/key')],
    ['deny', 'open', at('secret/key')],
  ]);
});

test(
  'by address: networks, ports, unix sockets',
  onUserthread(() => {
    const fits = (address: string | string[], call: () => unknown): boolean =>
      under([{ action: 'deny', address, errno: 'EPERM' }], () => codeOf(call)) === 'EPERM';
    const udp = sys.socket(c.AF_INET, c.SOCK_DGRAM);
    const udp6 = sys.socket(c.AF_INET6, c.SOCK_DGRAM);
    const to =
      (address: string, port = 9) =>
      () =>
        sys.connect(address.includes(':') ? udp6 : udp, {
          family: address.includes(':') ? 'inet6' : 'inet',
          address,
          port,
        });
    const there = to('127.1.2.3', 80);
    for (const address of [
      '127.1.2.3',
      '127.0.0.0/8',
      '127.1.2.3:80',
      ':80',
      ':1-80',
      '127.0.0.0/8:80-90',
      '0.0.0.0/0',
    ])
      expect([address, fits(address, there)]).toEqual([address, true]);
    for (const address of [
      '127.1.2.4',
      '128.0.0.0/8',
      '127.1.2.3:81',
      ':81-99',
      '::/0',
      '/**',
      '[::ffff:7f01:203]:81',
    ])
      expect([address, fits(address, there)]).toEqual([address, false]);
    for (const address of ['::1', '::/127', '[::1]', '[::1]:9', '[::]', ':9'])
      expect([address, fits(address, to('::1'))]).toEqual([address, address !== '[::]']);
    expect(fits('10.0.0.0/8', to('::ffff:10.1.1.1'))).toBe(true); // IPv4 in IPv6
    expect(fits(['1.1.1.1', ':80'], there)).toBe(true);
    sys.connect(udp, { family: 'inet', address: '127.0.0.1', port: 9 });
    const data = Buffer.from('x');
    expect(
      fits(':7', () => sys.sendto(udp, data, 0, { family: 'inet', address: '127.0.0.1', port: 7 })),
    ).toBe(true);
    expect(fits(':9', () => sys.sendto(udp, data))).toBe(false); // it names none
    const message = { address: { family: 'inet' as const, address: '127.0.0.1', port: 7 }, buffers: [data] };
    expect(fits(':7', () => sys.sendmsg(udp, message))).toBe(true);
    expect(fits(':7', () => sys.sendmmsg(udp, [{ buffers: [data] }, message]))).toBe(true);
    const local = sys.socket(c.AF_UNIX, c.SOCK_STREAM);
    const path = at('socket');
    const bind = (name: string) => () => sys.connect(local, { family: 'unix', path: name });
    expect(fits(`${folder}/*`, bind(path))).toBe(true);
    expect(fits(`${folder}/*`, bind('/elsewhere'))).toBe(false);
    expect(fits(`${folder}/**`, bind(at('two\nlines')))).toBe(true);
    const before = process.cwd();
    sys.chdir(folder);
    expect(fits(`${folder}/*`, bind('socket'))).toBe(true);
    sys.chdir(before);
    expect(fits('@libcr*', bind('\0libcr-test'))).toBe(true);
    expect(fits('0.0.0.0/0', bind(path))).toBe(false);
    expect(fits(':0-65535', () => sys.getpid())).toBe(false);
    for (const fd of [udp, udp6, local]) sys.close(fd);
  }),
);

test(
  'by uid, descriptor and a function; a call that is allowed by its number alone is not seen',
  onUserthread(() => {
    const uid = process.geteuid?.() as number;
    const denied = (rule: Partial<PolicyRule>, call: () => unknown): boolean =>
      under([{ action: 'deny', errno: 'EPERM', ...rule }], () => codeOf(call)) === 'EPERM';
    expect(denied({ uid }, () => sys.getpid())).toBe(true);
    expect(denied({ uid: [uid + 1, uid] }, () => sys.getpid())).toBe(true);
    expect(denied({ uid: uid + 1 }, () => sys.getpid())).toBe(false);
    const fd = sys.open(at('open'));
    expect(denied({ fd }, () => sys.read(fd, Buffer.alloc(1)))).toBe(true);
    expect(denied({ fd: fd + 1 }, () => sys.read(fd, Buffer.alloc(1)))).toBe(false);
    expect(denied({ fd }, () => sys.getpid())).toBe(false);
    sys.close(fd);
    expect(denied({ when: (msg) => msg.name === 'getpid' }, () => sys.getpid())).toBe(true);
    expect(denied({ when: (msg) => msg.name === 'getpid' }, () => sys.getppid())).toBe(false);

    const wanted = policy([
      { action: 'deny', path: '/none/**' },
      { action: 'deny', on: ['socket'] },
      { action: 'allow', on: ['read'] },
      { action: 'allow' },
    ]).on;
    expect(wanted).toEqual(expect.arrayContaining(['open', 'rename', 'socket', 'statx']));
    expect(wanted).not.toContain('read');
    expect(wanted).not.toContain('getpid');
    expect(policy([{ action: 'log', on: ['read'] }, { action: 'allow' }]).on).toEqual(['read']);
    expect(policy([{ action: 'allow', on: ['getpid'] }, { action: 'deny' }]).on).not.toContain('getpid');
  }),
);

/** The rules as they are written, one after the other. */
function plainly(rules: readonly PolicyRule[], name: string, path: string | undefined): string {
  for (const { action, on = 'all', path: glob, errno = 'EACCES' } of rules) {
    if (on !== 'all' && !on.includes(name as never)) continue;
    if (glob !== undefined && path !== String(glob)) continue;
    if (action === 'allow') return 'allowed';
    if (action === 'deny') return errno;
  }
  return 'allowed';
}

test(
  'random rules decide as if they were gone through one by one',
  onUserthread(() => {
    const random = randomOf('policy');
    const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
    const calls = {
      stat: (path: string) => sys.stat(path),
      access: (path: string) => sys.access(path, 0),
      getpid: () => sys.getpid(),
      getuid: () => sys.getuid(),
    };
    const names = Object.keys(calls) as (keyof typeof calls)[];
    for (let round = 0; round < 300; round++) {
      const rules = Array.from(
        { length: random(8) },
        (): PolicyRule => ({
          action: pick(['allow', 'deny', 'log']),
          on: pick([undefined, [pick(names)], [pick(names), pick(names)]]),
          path: pick([undefined, undefined, '/', '/etc']),
          errno: pick([undefined, 'EPERM', 'EROFS']),
        }),
      );
      under(rules, () => {
        for (const name of names)
          for (const path of ['/', '/etc']) {
            const code = codeOf(() => calls[name](path));
            const expected = plainly(rules, name, name.startsWith('get') ? undefined : path);
            expect([rules, name, path, code === 'no error' ? 'allowed' : code]).toEqual([
              rules,
              name,
              path,
              expected,
            ]);
          }
      });
    }
  }),
);

test('rules that cannot be understood are refused', () => {
  const bad: unknown[] = [
    [{ action: 'deny', address: 5 }],
    [{ action: 'deny', address: '' }],
    [{ action: 'deny', address: 'localhost' }],
    [{ action: 'deny', address: '10.0.0.0/33' }],
    [{ action: 'deny', address: '10.0.0/8' }],
    [{ action: 'deny', address: '::/129' }],
    [{ action: 'deny', address: ':70000' }],
    [{ action: 'deny', address: ':9-8' }],
    [{ action: 'deny', uid: 'root' }],
    [{ action: 'deny', uid: [-1] }],
    [{ action: 'deny', fd: -1 }],
    [{ action: 'deny', when: 1 }],
    'deny',
    [null],
    [{ action: 'forbid' }],
    [{ action: 'deny', errno: 'ENOPE' }],
    [{ action: 'deny', path: 'relative/**' }],
    [{ action: 'deny', path: [5] }],
    [{ action: 'deny', on: ['opne'] }],
    [{ action: 'deny', on: 'open' }],
    [{ action: 'deny', paths: '/x' }],
  ];
  for (const rules of bad)
    expect([rules, codeOf(() => policy(rules as PolicyRule[]))]).toEqual([
      rules,
      expect.stringMatching(/^ERR_INVALID_ARG/),
    ]);
});
