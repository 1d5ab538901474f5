/** policy-lookups.test.ts: paths as shims read them against the kernel's own lookup, by random ones; and policy's option follow. */
import fs from 'node:fs';
import { join } from 'node:path';
import { create } from '@libcr/core';
import { expect, test } from 'vitest';
import { constants as c, defineShim, sys } from '../../src/index.ts';
import { memfs } from '../../src/shims/memfs/index.ts';
import { type Named, pathsOf } from '../../src/shims/paths/index.ts';
import { type PolicyRule, policy } from '../../src/shims/policy/index.ts';
import { codeOf, onUserthread, randomOf, temporaryFolder } from '../support.ts';

const folder = fs.realpathSync(temporaryFolder());
const at = (name: string): string => join(folder, name);

/** What the shims' side says of a call that is made, and what the call answers. */
function seen(follow: boolean, call: () => number): { named: Named[]; reply: number } {
  let named: Named[] = [];
  const watch = defineShim({
    name: 'watch',
    on: ['openat', 'openat2'],
    shim: (next) => (msg) => {
      named = pathsOf(msg, follow);
      return next(msg);
    },
  });
  const reply = create(
    () => {
      try {
        return call();
      } catch (error) {
        return (error as { errno: number }).errno;
      }
    },
    { syscallPort: sys.with(watch) },
  ).join() as number;
  return { named, reply };
}

const where = (fd: number): string => fs.readlinkSync(`/proc/self/fd/${fd}`);
/** Own names in /proc are those of "self". */
const own = (path: string): string => path.replace(`/proc/${process.pid}`, '/proc/self');

/** A tree, with links if there are to be some, and names that are hard to tell from others. */
function makeTree(root: string, links: boolean): void {
  for (const name of ['a/b/c', 'a/x (deleted)', 'b']) fs.mkdirSync(join(root, name), { recursive: true });
  for (const name of ['f', 'a/f', 'a/b/f', 'b/f (deleted)', 'a/x (deleted)/f'])
    fs.writeFileSync(join(root, name), name);
  fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/b/`), Buffer.of(0xff, 0x61, 0xc3)]), '');
  if (!links) return;
  const all = {
    l: 'a',
    'a/l': '..',
    'a/b/l': '../../b',
    'b/l': root,
    'b/m': 'm',
    lf: 'a/f',
    'a/dangling': '../b/new',
    top: '/',
  };
  for (const [name, text] of Object.entries(all)) fs.symlinkSync(text, join(root, name));
}

for (const follow of [false, true])
  test(
    `random paths${follow ? ' with links, followed' : ''}: what the kernel opens is what was named`,
    onUserthread(() => {
      const random = randomOf(`lookups ${follow}`);
      const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
      const root = at(follow ? 'linked' : 'plain');
      makeTree(root, follow);
      const odd = Buffer.concat([Buffer.from('b/'), Buffer.of(0xff, 0x61, 0xc3)]).toString('latin1');
      const names = [
        'a',
        'a',
        'b',
        'b',
        'c',
        'f',
        '.',
        '..',
        '',
        'x (deleted)',
        'f (deleted)',
        odd,
        ...(follow ? ['l', 'l', 'm', 'lf', 'dangling', 'top'] : []),
      ];
      const fds = ['', 'a', 'a/b', 'a/x (deleted)'].map((name) => sys.open(join(root, name), c.O_DIRECTORY));
      const file = sys.open(join(root, 'a/f'));
      const heads = [
        `${root}/`,
        '/proc/self/cwd/',
        `/proc/${process.pid}/cwd/../`,
        `/dev/fd/${fds[2]}/`,
        `/proc/self/fd/${fds[1]}/`,
        `/proc/thread-self/fd/${fds[3]}/../`,
        `/proc/self/root${root}/`,
        `/proc/self/fd/${file}`,
      ];
      const before = process.cwd();
      let opened = 0;
      for (let round = 0; round < 1500; round++) {
        if (round % 50 === 0) sys.chdir(pick([root, join(root, 'a'), join(root, 'a/b')]));
        const tail = Array.from({ length: 1 + random(5) }, () => pick(names)).join('/');
        const head = pick(['', '', pick(heads)]);
        const path = Buffer.from(head + (head.endsWith('/') || head === '' ? tail : ''), 'latin1');
        const dirfd = pick([c.AT_FDCWD, ...fds]);
        const flags = c.O_PATH | pick([0, 0, c.O_NOFOLLOW]);
        const resolve = pick([0, 0, 0, c.RESOLVE_IN_ROOT, c.RESOLVE_BENEATH, c.RESOLVE_NO_SYMLINKS]);
        const { named, reply } = seen(follow, () =>
          resolve === 0 ? sys.openat(dirfd, path, flags) : sys.openat2(dirfd, path, { flags, resolve }),
        );
        if (reply < 0) continue;
        opened++;
        const [{ written, leads = written } = {}] = named;
        const real = fs.readlinkSync(`/proc/self/fd/${reply}`, 'buffer');
        sys.close(reply);
        const said = Buffer.from(
          own(leads ?? '?').replace(/[\udc80-\udcff]/g, (one) =>
            String.fromCharCode(one.charCodeAt(0) - 0xdc00),
          ),
          'latin1',
        );
        expect([path.toString('latin1'), dirfd, resolve, flags, said.toString('latin1')]).toEqual([
          path.toString('latin1'),
          dirfd,
          resolve,
          flags,
          own(real.toString('latin1')),
        ]);
      }
      expect(opened).toBeGreaterThan(150);
      sys.chdir(before);
      for (const fd of [...fds, file]) sys.close(fd);
    }),
  );

test(
  'followed: files that are made, through links that lead nowhere yet',
  onUserthread(() => {
    const root = at('making');
    fs.mkdirSync(root);
    fs.mkdirSync(join(root, 'real'));
    fs.symlinkSync('real', join(root, 'folder'));
    fs.symlinkSync('folder/made', join(root, 'first'));
    fs.symlinkSync(join(root, 'first'), join(root, 'second'));
    for (const name of ['folder/made', 'first', 'second', 'folder/../second', 'real/made']) {
      const path = join(root, 'x').replace(/x$/, '') + name;
      const { named, reply } = seen(true, () => sys.openat(c.AT_FDCWD, path, c.O_CREAT | c.O_WRONLY, 0o600));
      expect([name, named[0]?.leads ?? named[0]?.written]).toEqual([name, where(reply)]);
      sys.close(reply);
      fs.unlinkSync(join(root, 'real/made'));
    }
    const exclusive = seen(true, () =>
      sys.openat(c.AT_FDCWD, join(root, 'first'), c.O_CREAT | c.O_EXCL | c.O_WRONLY),
    );
    expect([exclusive.reply, exclusive.named[0]?.leads]).toEqual([-c.EEXIST, join(root, 'first')]);
  }),
);

const under = (rules: PolicyRule[], follow: boolean, fn: () => void): void => {
  create(fn, { syscallPort: sys.with(policy(rules, { follow })) }).join();
};

test(
  'follow: rules are about where links lead; a denied name stays one',
  onUserthread(() => {
    const root = at('followed');
    for (const name of ['secret', 'open']) {
      fs.mkdirSync(join(root, name), { recursive: true });
      fs.writeFileSync(join(root, name, 'key'), name);
    }
    fs.symlinkSync('../secret', join(root, 'open/way'));
    fs.symlinkSync('../secret/key', join(root, 'open/link'));
    fs.symlinkSync('../open/key', join(root, 'secret/out'));
    const opens = (name: string): unknown =>
      codeOf(() => sys.close(sys.open(join(root, name).replace('(..)', '..'))));
    const deny: PolicyRule[] = [{ action: 'deny', path: `${root}/secret/**`, errno: 'EPERM' }];
    under(deny, false, () => {
      expect([opens('open/link'), opens('open/way/key')]).toEqual(['no error', 'no error']);
    });
    under(deny, true, () => {
      for (const name of [
        'open/link',
        'open/way/key',
        'open/way/(..)/secret/key',
        'secret/out',
        'open/way/nothing',
      ])
        expect([name, opens(name)]).toEqual([name, 'EPERM']);
      expect([opens('open/key'), opens('open/nothing'), opens('nothing/at/all')]).toEqual([
        'no error',
        'ENOENT',
        'ENOENT',
      ]);
      expect(sys.readlink(join(root, 'open/link'))).toBe('../secret/key'); // the link itself is not in there
      expect(codeOf(() => sys.unlink(join(root, 'open/way/key')))).toBe('EPERM');
      expect(codeOf(() => sys.link(join(root, 'open/key'), join(root, 'open/way/new')))).toBe('EPERM');
      expect(
        codeOf(() =>
          sys.linkat(
            c.AT_FDCWD,
            join(root, 'open/link'),
            c.AT_FDCWD,
            join(root, 'open/new'),
            c.AT_SYMLINK_FOLLOW,
          ),
        ),
      ).toBe('EPERM');
    });
    const allow: PolicyRule[] = [
      { action: 'allow', path: `${root}/open/**` },
      { action: 'deny', on: ['open'], errno: 'EPERM' },
    ];
    under(allow, true, () => {
      expect([opens('open/key'), opens('secret/out'), opens('open/link'), opens('open/way/key')]).toEqual([
        'no error',
        'no error',
        'EPERM',
        'EPERM',
      ]);
    });
  }),
);

test(
  'over a file system in memory: its working directory and its descriptors are where it says',
  onUserthread(() => {
    const rules = policy([{ action: 'deny', path: '/app/secret/**', errno: 'EPERM' }], { follow: true });
    const files = memfs({ '/app/secret/key': 'k', '/app/open/key': 'o' });
    create(
      () => {
        const opens = (call: () => number): unknown => codeOf(() => sys.close(call()));
        const app = sys.open('/app', c.O_DIRECTORY);
        sys.symlink('../secret', '/app/open/way');
        for (const call of [
          () => sys.open('/app/open/way/key'),
          () => sys.openat(app, 'secret/key'),
          () => sys.open(`/proc/self/fd/${app}/secret/key`),
        ])
          expect([String(call), opens(call)]).toEqual([String(call), 'EPERM']);
        expect(opens(() => sys.openat(app, 'open/key'))).toBe('no error');
        sys.chdir('/app/open');
        expect([
          opens(() => sys.open('../secret/key')),
          opens(() => sys.open('way/key')),
          opens(() => sys.open('key')),
        ]).toEqual(['EPERM', 'EPERM', 'no error']);
        sys.close(app);
      },
      { syscallPort: sys.with(rules, files) },
    ).join();
  }),
);
