/** policy.test.ts: what policy.test.ts of @libcr/syscalls expects, of the calls of a program. What rules may be is tested there. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import fs from 'node:fs';
import { join } from 'node:path';
import { wait } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';
import { type PolicyRule, policy } from '@libcr/syscalls/shims/policy';
import { expect, test } from 'vitest';
import { codeOf, errorOf, onUserthread, randomOf } from '../../../syscalls/test/support.ts';
import { scratch } from '../programs.ts';
import { ToldProgram, underProgram } from './made-by-program.ts';

const folder = fs.realpathSync(scratch);
const at = (name: string): string => join(folder, name);
fs.mkdirSync(at('secret/.deep/er'), { recursive: true });
fs.writeFileSync(at('secret/key'), 'k');
fs.writeFileSync(at('secret/.deep/er/key'), 'k');
fs.writeFileSync(at('open'), 'o');

const under = <R>(rules: PolicyRule[], fn: () => R): R => underProgram(policy(rules), fn);
const opens = (path: string): unknown => codeOf(() => sys.close(sys.open(path)));

test(
  'denies by path: globs, relative paths, paths with dots, open and openat; from the program’s own folder',
  onUserthread(() => {
    under([{ action: 'deny', on: ['openat'], path: at('secret/**') }], () => {
      expect(errorOf(() => sys.open(at('secret/key')))).toMatchObject({
        code: 'EACCES',
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
      expect(sys.statx(c.AT_FDCWD, at('secret/key')).size).toBe(1); // only open was named
    });
    under([{ action: 'deny', path: at('secret/*') }], () => {
      sys.chdir(at('secret/.deep/..'));
      expect(opens('key')).toBe('EACCES');
      expect(opens('.deep/er/key')).toBe('no error'); // * stops at a slash
    });
  }),
);

test(
  'paths as the kernel takes them: after chdir, from a removed directory, with a newline, AT_FDCWD without its sign',
  onUserthread(() => {
    const odd = at('secret/two\nlines');
    fs.writeFileSync(odd, 'k');
    fs.mkdirSync(at('gone'));
    under([{ action: 'deny', path: at('secret/**'), errno: 'EPERM' }], () => {
      expect([opens(odd), opens(Buffer.from(odd) as never)]).toEqual(['EPERM', 'EPERM']);
      sys.chdir(folder);
      expect([opens('secret/key'), opens('open')]).toEqual(['EPERM', 'no error']);
      expect(codeOf(() => sys.openat(c.AT_FDCWD >>> 0, 'secret/key'))).toBe('EPERM');
      sys.chdir(at('gone'));
      fs.rmdirSync(at('gone'));
      expect(opens('x')).toBe('EPERM'); // it is at no path, so nobody knows
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
    const rules: PolicyRule[] = [
      { action: 'deny', on: ['open', 'symlink', 'rename', 'unlink'], path: at('secret/**'), errno: 'EPERM' },
    ];
    under(rules, () => {
      const dirfd = sys.open(folder, c.O_DIRECTORY);
      sys.chdir(at('secret'));
      const denied = [
        () => sys.openat2(dirfd, 'secret/key', { flags: c.O_RDONLY }),
        () => sys.creat(at('secret/key')),
        () => sys.symlinkat('x', dirfd, 'secret/link'),
        () => sys.renameat(dirfd, 'open', c.AT_FDCWD, 'open'),
        () => sys.renameat2(c.AT_FDCWD, 'key', dirfd, 'key', 0),
        () => sys.unlinkat(c.AT_FDCWD, 'key'),
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
  }),
);

test(
  'calls without a path; everything',
  onUserthread(() => {
    under([{ action: 'deny', on: ['socket'], errno: 'EPERM' }], () => {
      expect(codeOf(() => sys.socket(c.AF_INET, c.SOCK_STREAM))).toBe('EPERM');
      expect(sys.getppid()).toBe(process.pid);
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
    const program = new ToldProgram([]);
    const fits = (address: string | string[], call: () => unknown): boolean => {
      using _ = program.shim(policy([{ action: 'deny', address, errno: 'EPERM' }]));
      return program.inside(() => codeOf(call)) === 'EPERM';
    };
    const udp = program.inside(() => sys.socket(c.AF_INET, c.SOCK_DGRAM));
    const udp6 = program.inside(() => sys.socket(c.AF_INET6, c.SOCK_DGRAM));
    const to =
      (address: string, port = 9) =>
      () =>
        sys.connect(address.includes(':') ? udp6 : udp, {
          family: address.includes(':') ? 'inet6' : 'inet',
          address,
          port,
        });
    const there = to('127.1.2.3', 80);
    for (const address of ['127.1.2.3', '127.0.0.0/8', '127.1.2.3:80', ':80', ':1-80', '0.0.0.0/0'])
      expect([address, fits(address, there)]).toEqual([address, true]);
    for (const address of ['127.1.2.4', '128.0.0.0/8', '127.1.2.3:81', ':81-99', '::/0', '/**'])
      expect([address, fits(address, there)]).toEqual([address, false]);
    for (const address of ['::1', '::/127', '[::1]', '[::1]:9', '[::]', ':9'])
      expect([address, fits(address, to('::1'))]).toEqual([address, address !== '[::]']);
    expect(fits('10.0.0.0/8', to('::ffff:10.1.1.1'))).toBe(true); // IPv4 in IPv6
    const data = Buffer.from('x');
    const port7 = { family: 'inet' as const, address: '127.0.0.1', port: 7 };
    expect(fits(':7', () => sys.sendto(udp, data, 0, port7))).toBe(true);
    expect(fits(':9', () => sys.sendto(udp, data))).toBe(false); // it names none
    expect(fits(':7', () => sys.sendmsg(udp, { address: port7, buffers: [data] }))).toBe(true);
    const local = program.inside(() => sys.socket(c.AF_UNIX, c.SOCK_STREAM));
    const bind = (name: string) => () => sys.connect(local, { family: 'unix', path: name });
    expect(fits(`${folder}/*`, bind(at('socket')))).toBe(true);
    expect(fits(`${folder}/*`, bind('/elsewhere'))).toBe(false);
    expect(fits(`${folder}/**`, bind(at('two\nlines')))).toBe(true);
    program.inside(() => sys.chdir(folder));
    expect(fits(`${folder}/*`, bind('socket'))).toBe(true);
    expect(fits('@libcr*', bind('\0libcr-test'))).toBe(true);
    expect(fits('0.0.0.0/0', bind(at('socket')))).toBe(false);
    expect(fits(':0-65535', () => sys.getpid())).toBe(false);
    wait(program.end());
  }),
);

test(
  'by uid, which is the supervisor’s; by descriptor and a function',
  onUserthread(() => {
    const program = new ToldProgram([]);
    const uid = process.geteuid?.() as number;
    const denied = (rule: Partial<PolicyRule>, call: () => unknown): boolean => {
      using _ = program.shim(policy([{ action: 'deny', errno: 'EPERM', on: ['getpid', 'read'], ...rule }]));
      return program.inside(() => codeOf(call)) === 'EPERM';
    };
    const fd = program.inside(() => sys.dup2(sys.open(at('open')), 100));
    const reads = (): number => sys.read(fd, Buffer.alloc(1));
    expect(denied({ uid }, () => sys.getpid())).toBe(true);
    expect(denied({ uid: [uid + 1, uid] }, () => sys.getpid())).toBe(true);
    expect(denied({ uid: uid + 1 }, () => sys.getpid())).toBe(false);
    expect(denied({ fd }, reads)).toBe(true);
    expect(denied({ fd: fd + 1 }, reads)).toBe(false);
    expect(denied({ fd }, () => sys.getpid())).toBe(false);
    expect(denied({ when: (msg) => msg.name === 'getpid' }, () => sys.getpid())).toBe(true);
    expect(
      denied({ when: (msg) => msg.pid === program.pid && msg.name === 'read' && msg.fd === fd }, reads),
    ).toBe(true);
    wait(program.end());
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
    const program = new ToldProgram([]);
    for (let round = 0; round < 60; round++) {
      const rules = Array.from(
        { length: random(8) },
        (): PolicyRule => ({
          action: pick(['allow', 'deny', 'log']),
          on: pick([names, [pick(names)], [pick(names), pick(names)]]),
          path: pick([undefined, undefined, '/', '/etc']),
          errno: pick([undefined, 'EPERM', 'EROFS']),
        }),
      );
      using _ = program.shim(policy(rules));
      program.inside(() => {
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
    wait(program.end());
  }),
);
