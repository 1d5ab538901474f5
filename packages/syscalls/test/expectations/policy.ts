/** policy.ts: what is expected of the policy shim, whoever makes the calls. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { constants as c, sys } from '../../src/index.ts';
import { type PolicyRule, policy } from '../../src/shims/policy/index.ts';
import { codeOf, errorOf, onUserthread, randomOf, temporaryFolder } from '../support.ts';
import { under as underShims, type Way } from './caller.ts';

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

export function expectPolicy(way: Way): void {
  const folder = fs.realpathSync(temporaryFolder());
  const at = (name: string): string => join(folder, name);
  fs.mkdirSync(at('secret/.deep/er'), { recursive: true });
  fs.writeFileSync(at('secret/key'), 'k');
  fs.writeFileSync(at('secret/.deep/er/key'), 'k');
  fs.writeFileSync(at('open'), 'o');

  const under = <R>(rules: PolicyRule[], fn: () => R): R => underShims(way, policy(rules), fn);
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
        {
          action: 'deny',
          on: ['open', 'symlink', 'rename', 'unlink'],
          path: at('secret/**'),
          errno: 'EPERM',
        },
      ];
      const caller = way.begin([]);
      const [dirfd, secret] = caller.inside(() => [
        sys.open(folder, c.O_DIRECTORY),
        sys.open(at('secret'), c.O_DIRECTORY), // before it is denied
      ]) as [number, number];
      caller.shim(policy(rules));
      caller.inside(() => {
        sys.chdir(at('secret'));
        const denied = [
          () => sys.openat2(dirfd, 'secret/key', { flags: c.O_RDONLY }),
          () => sys.creat(at('secret/key')),
          () => sys.symlinkat('x', dirfd, 'secret/link'),
          () => sys.symlinkat('x', secret, 'link'),
          () => sys.renameat(dirfd, 'open', secret, 'open'),
          () => sys.renameat(dirfd, 'open', c.AT_FDCWD, 'open'),
          () => sys.renameat2(secret, 'key', dirfd, 'key', 0),
          () => sys.renameat2(c.AT_FDCWD, 'key', dirfd, 'key', 0),
          () => sys.unlinkat(secret, 'key'),
          () => sys.unlinkat(c.AT_FDCWD, 'key'),
        ];
        expect(denied.map((call) => codeOf(call))).toEqual(denied.map(() => 'EPERM'));
        sys.symlinkat('secret/key', dirfd, 'text'); // what a link says is no path of the call
        sys.unlinkat(dirfd, 'text');
        expect(codeOf(() => sys.openat(99_999, 'secret/key'))).toBe('EBADF');
        for (const fd of [dirfd, secret]) sys.close(fd);
      });
      caller.end();
      expect([fs.readdirSync(at('secret')).sort(), fs.existsSync(at('open'))]).toEqual([
        ['.deep', 'key'],
        true,
      ]);
    }),
  );

  test(
    'calls without a path; everything',
    onUserthread(() => {
      const caller = way.begin([policy([{ action: 'deny', on: ['socket'], errno: 'EPERM' }])]);
      caller.inside(() => {
        expect(codeOf(() => sys.socket(c.AF_INET, c.SOCK_STREAM))).toBe('EPERM');
        expect(sys.getpid()).toBe(caller.pid);
      });
      using _ = caller.shim(policy([{ action: 'deny' }]));
      caller.inside(() => {
        expect([codeOf(() => sys.getpid()), opens('/')]).toEqual(['EACCES', 'EACCES']);
      });
      caller.end();
    }),
  );

  test('log and deny tell the diagnostics channel', async () => {
    const seen: unknown[] = [];
    const listen = (decision: unknown): void => {
      const { rule, message, path } = decision as {
        rule: PolicyRule;
        message: { name: string };
        path: string;
      };
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
      const caller = way.begin([]);
      const fits = (address: string | string[], call: () => unknown): boolean => {
        using _ = caller.shim(policy([{ action: 'deny', address, errno: 'EPERM' }]));
        return caller.inside(() => codeOf(call)) === 'EPERM';
      };
      const socket = (family: number, type: number = c.SOCK_DGRAM): number =>
        caller.inside(() => sys.socket(family, type));
      const [udp, udp6] = [socket(c.AF_INET), socket(c.AF_INET6)];
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
      caller.inside(to('127.0.0.1'));
      const data = Buffer.from('x');
      const port7 = { family: 'inet' as const, address: '127.0.0.1', port: 7 };
      expect(fits(':7', () => sys.sendto(udp, data, 0, port7))).toBe(true);
      expect(fits(':9', () => sys.sendto(udp, data))).toBe(false); // it names none
      const message = { address: port7, buffers: [data] };
      expect(fits(':7', () => sys.sendmsg(udp, message))).toBe(true);
      expect(fits(':7', () => sys.sendmmsg(udp, [{ buffers: [data] }, message]))).toBe(true);
      const local = socket(c.AF_UNIX, c.SOCK_STREAM);
      const path = at('socket');
      const bind = (name: string) => () => sys.connect(local, { family: 'unix', path: name });
      expect(fits(`${folder}/*`, bind(path))).toBe(true);
      expect(fits(`${folder}/*`, bind('/elsewhere'))).toBe(false);
      expect(fits(`${folder}/**`, bind(at('two\nlines')))).toBe(true);
      caller.inside(() => sys.chdir(folder));
      expect(fits(`${folder}/*`, bind('socket'))).toBe(true);
      expect(fits('@libcr*', bind('\0libcr-test'))).toBe(true);
      expect(fits('0.0.0.0/0', bind(path))).toBe(false);
      expect(fits(':0-65535', () => sys.getpid())).toBe(false);
      caller.inside(() => {
        for (const fd of [udp, udp6, local]) sys.close(fd);
      });
      caller.end();
    }),
  );

  test(
    'by uid, descriptor and a function',
    onUserthread(() => {
      const caller = way.begin([]);
      const uid = process.geteuid?.() as number; // a program's supervisor's
      const denied = (rule: Partial<PolicyRule>, call: () => unknown): boolean => {
        using _ = caller.shim(policy([{ action: 'deny', errno: 'EPERM', ...rule }]));
        return caller.inside(() => codeOf(call)) === 'EPERM';
      };
      const fd = caller.inside(() => sys.open(at('open')));
      const reads = (): number => sys.read(fd, Buffer.alloc(1));
      expect(denied({ uid }, () => sys.getpid())).toBe(true);
      expect(denied({ uid: [uid + 1, uid] }, () => sys.getpid())).toBe(true);
      expect(denied({ uid: uid + 1 }, () => sys.getpid())).toBe(false);
      expect(denied({ fd }, reads)).toBe(true);
      expect(denied({ fd: fd + 1 }, reads)).toBe(false);
      expect(denied({ fd }, () => sys.getpid())).toBe(false);
      expect(denied({ when: (msg) => msg.name === 'getpid' }, () => sys.getpid())).toBe(true);
      expect(denied({ when: (msg) => msg.name === 'getpid' }, () => sys.getppid())).toBe(false);
      const isIt: PolicyRule['when'] = (msg) =>
        msg.pid === caller.pid && msg.name === 'read' && msg.fd === fd;
      expect(denied({ when: isIt }, reads)).toBe(true);
      caller.inside(() => sys.close(fd));
      caller.end();
    }),
  );

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
      const caller = way.begin([]);
      for (let round = 0; round < (way.isProgram ? 60 : 300); round++) {
        const rules = Array.from(
          { length: random(8) },
          (): PolicyRule => ({
            action: pick(['allow', 'deny', 'log']),
            on: pick([undefined, [pick(names)], [pick(names), pick(names)]]),
            path: pick([undefined, undefined, '/', '/etc']),
            errno: pick([undefined, 'EPERM', 'EROFS']),
          }),
        );
        using _ = caller.shim(policy(rules));
        caller.inside(() => {
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
      caller.end();
    }),
  );
}
