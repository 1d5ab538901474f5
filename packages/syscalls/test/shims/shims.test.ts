/** shims.test.ts: the contract of shims: (next) => (msg) => reply, on the program's port and on ports of one's own. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { create, curthread, sleep, wait } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import {
  constants as c,
  defineShim,
  type Shim,
  SyscallPort,
  SysMsg,
  sys,
  syscallPort,
} from '../../src/index.ts';
import { families, numbersOf, rowNamed } from '../../src/port/calls.ts';
import { codeOf, errorOf, onUserthread, runProgram, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();

/** A shim that logs what goes through it. */
const logger = (log: string[], name: string, on: Shim['on'] = 'all'): Shim =>
  defineShim({
    name,
    on,
    shim: (next) => (msg) => {
      log.push(`${name} ${msg.name}`);
      const reply = next(msg);
      log.push(`${name} = ${reply < 0 ? reply : '>= 0'}`);
      return reply;
    },
  });

/** Runs fn with the program's port shimmed. */
function shimmed<R>(shims: Shim[], fn: () => R): R {
  const guard = syscallPort.shim(...shims);
  try {
    return fn();
  } finally {
    guard.remove();
  }
}

describe('order and choice', () => {
  test(
    'first listed is outermost; a later installation lies over an earlier one',
    onUserthread(() => {
      const log: string[] = [];
      const first = syscallPort.shim(logger(log, 'a'), logger(log, 'b'));
      const second = syscallPort.shim(logger(log, 'c'));
      expect(syscallPort.shims).toEqual(['c', 'a', 'b']);
      sys.getpid();
      expect(log).toEqual(['c getpid', 'a getpid', 'b getpid', 'b = >= 0', 'a = >= 0', 'c = >= 0']);
      first.remove();
      first.remove();
      log.length = 0;
      sys.getpid();
      expect(log).toEqual(['c getpid', 'c = >= 0']);
      second[Symbol.dispose]();
      log.length = 0;
      sys.getpid();
      expect([log, syscallPort.shims]).toEqual([[], []]);
    }),
  );

  test(
    'only the calls it asks for; open and openat are one family',
    onUserthread(() => {
      const log: string[] = [];
      shimmed([logger(log, 's', ['openat', 'close'])], () => {
        sys.close(sys.open('/dev/null'));
        sys.close(sys.openat(c.AT_FDCWD, '/dev/null'));
        sys.getpid();
      });
      expect(log.filter((line) => !line.includes('='))).toEqual(['s open', 's close', 's openat', 's close']);
    }),
  );

  test('naming one of a family chooses all of it, and nothing else', () => {
    const seen = new Set<string>();
    for (const family of families) {
      const numbers = family.map((name) => rowNamed(name)?.number);
      for (const name of family) {
        expect([name, numbersOf(name)]).toEqual([name, numbers]);
        expect([name, seen.has(name)]).toEqual([name, false]); // in no other one
        seen.add(name);
      }
    }
    expect(numbersOf('fstat')).toEqual([c.SYS_fstat]);
    expect(numbersOf('rmdir')).toEqual([c.SYS_rmdir]);
    expect(numbersOf('constructor')).toBe(undefined);
  });

  test(
    'a shim that asks for one of a family gets the others',
    onUserthread(() => {
      const log: string[] = [];
      shimmed([logger(log, 's', ['creat', 'stat', 'mkdirat', 'unlink', 'dup2', 'poll'])], () => {
        const fd = sys.openat2(c.AT_FDCWD, `${folder}/family`, { flags: c.O_CREAT | c.O_RDWR, mode: 0o600 });
        sys.statx(c.AT_FDCWD, `${folder}/family`);
        sys.fstat(fd);
        sys.mkdir(`${folder}/directory`);
        sys.rmdir(`${folder}/directory`);
        sys.unlinkat(c.AT_FDCWD, `${folder}/family`);
        const copy = sys.dup(fd);
        sys.dup3(fd, copy, c.O_CLOEXEC);
        sys.close(copy);
        sys.close(fd);
        sys.ppoll([], { sec: 0, nsec: 0 });
      });
      expect(log.filter((line) => !line.includes('='))).toEqual(
        ['openat2', 'statx', 'mkdir', 'unlinkat', 'dup3', 'ppoll'].map((name) => `s ${name}`),
      );
    }),
  );

  test(
    'its factory runs once for each port',
    onUserthread(() => {
      let made = 0;
      const shim = defineShim({
        name: 'counted',
        on: 'all',
        shim: (next) => {
          made++;
          return next;
        },
      });
      const port = sys.with(shim);
      shimmed([shim], () => {
        for (let i = 0; i < 10; i++) sys.getpid();
        create(() => sys.getpid(), { syscallPort: port }).join();
      });
      expect(made).toBe(2);
    }),
  );
});

describe('what a shim may do', () => {
  test(
    'answer itself: results and errors',
    onUserthread(() => {
      const shim = defineShim({
        name: 'virtual',
        on: ['openat', 'read', 'close', 'getpid'],
        shim: (next) => (msg) => {
          if (msg.name === 'getpid') return 4711;
          if (msg.path === '/virtual') return 1_000_000;
          if (msg.path === '/forbidden') return -c.EACCES;
          if (msg.fd !== 1_000_000) return next(msg);
          if (msg.name === 'close') return 0;
          const buffer = msg.get('buffer') as Buffer;
          return buffer.write('invented');
        },
      });
      shimmed([shim], () => {
        expect(sys.getpid()).toBe(4711);
        const fd = sys.open('/virtual');
        const buffer = Buffer.alloc(20);
        expect(buffer.toString('utf8', 0, sys.read(fd, buffer))).toBe('invented');
        sys.close(fd);
        expect(errorOf(() => sys.open('/forbidden'))).toMatchObject({
          code: 'EACCES',
          errno: -13,
          syscall: 'open',
          path: '/forbidden',
        });
        sys.close(sys.open('/dev/null'));
      });
    }),
  );

  test(
    'rewrite: msg.with makes a new message, the old one stays',
    onUserthread(() => {
      const shim = defineShim({
        name: 'rewrite',
        on: ['open'],
        shim: (next) => (msg) => {
          const other = msg.with({ path: '/dev/zero' });
          expect([msg.path, other.path, other.get('flags'), other.name]).toEqual([
            '/nowhere',
            '/dev/zero',
            0,
            'open',
          ]);
          expect(codeOf(() => msg.with({ pth: 'x' }))).toBe('ERR_INVALID_ARG_VALUE');
          return next(other);
        },
      });
      shimmed([shim], () => {
        const fd = sys.open('/nowhere');
        const buffer = Buffer.alloc(4, 1);
        sys.read(fd, buffer);
        expect([...buffer]).toEqual([0, 0, 0, 0]);
        sys.close(fd);
      });
    }),
  );

  test(
    'call next several times, or wait in between',
    onUserthread(() => {
      const shim = defineShim({
        name: 'twice',
        on: ['write'],
        shim: (next) => (msg) => {
          next(msg);
          sleep(2);
          wait(Promise.resolve());
          return next(msg);
        },
      });
      const [r, w] = sys.pipe2();
      shimmed([shim], () => expect(sys.write(w, 'ab')).toBe(2));
      const buffer = Buffer.alloc(10);
      expect(buffer.toString('utf8', 0, sys.read(r, buffer))).toBe('abab');
      sys.close(r);
      sys.close(w);
    }),
  );

  test(
    'its own system calls go below it, never back to the top',
    onUserthread(() => {
      const log: string[] = [];
      const nosy = defineShim({
        name: 'nosy',
        on: ['getpid'],
        shim: (next) => (msg) => {
          sys.close(sys.open('/dev/null'));
          create(() => sys.getpid()).join(); // a thread made here lives below, too
          return next(msg);
        },
      });
      shimmed([logger(log, 'top'), nosy, logger(log, 'low')], () => sys.getpid());
      expect(log.filter((line) => !line.includes('='))).toEqual([
        'top getpid',
        'low open',
        'low close',
        'low getpid',
        'low getpid',
      ]);
    }),
  );

  test(
    'sees the message: thread, arguments, paths',
    onUserthread(() => {
      const seen: unknown[] = [];
      const shim = defineShim({
        name: 'looker',
        on: 'all',
        shim: (next) => (msg) => {
          expect(msg).toBeInstanceOf(SysMsg);
          seen.push([msg.name, msg.number, msg.td === curthread(), msg.path, msg.dest, msg.fd]);
          return next(msg);
        },
      });
      shimmed([shim], () => {
        errorOf(() => sys.rename(Buffer.from('/none/a'), '/none/b'));
        errorOf(() => sys.openat(99_999, 'x'));
        sys.raw(100_000);
      });
      expect(seen).toEqual([
        ['rename', c.SYS_rename, true, '/none/a', '/none/b', undefined],
        ['openat', c.SYS_openat, true, 'x', undefined, 99_999],
      ]);
    }),
  );
});

describe('what goes wrong', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'broken',
    ],
    ['replies nothing', () => undefined, 'shim "bad" replied undefined to getpid'],
    ['replies text', () => '7', 'shim "bad" replied 7 to getpid'],
    ['replies a fraction', () => 0.5, 'shim "bad" replied 0.5 to getpid'],
    ['replies less than an errno', () => -5000, 'shim "bad" replied -5000 to getpid'],
    ['is async', async () => 1, 'shim "bad" replied [object Promise] to getpid'],
  ])('a shim that %s: EIO for this call, a report, and the next call works', async (_what, reply, text) => {
    const reports: unknown[] = [];
    const listen = (report: unknown): void => {
      reports.push(report);
    };
    subscribe('libcr:syscalls:shim-error', listen);
    await onUserthread(() => {
      let broken = true;
      const shim = defineShim({
        name: 'bad',
        on: ['getpid'],
        shim: (next) => (msg) => (broken ? (reply() as number) : next(msg)),
      });
      shimmed([shim], () => {
        expect(codeOf(() => sys.getpid())).toBe('EIO');
        broken = false;
        expect(sys.getpid()).toBe(process.pid);
      });
    })();
    unsubscribe('libcr:syscalls:shim-error', listen);
    expect(reports).toEqual([
      { shim: 'bad', message: expect.any(SysMsg), error: expect.objectContaining({ message: text }) },
    ]);
  });

  test(
    'an abort passes through, finally blocks run, the thread keeps its port',
    onUserthread(() => {
      const log: string[] = [];
      const shim = defineShim({
        name: 'finally',
        on: ['read'],
        shim: (next) => (msg) => {
          try {
            return next(msg);
          } finally {
            log.push('finally');
          }
        },
      });
      const [r, w] = sys.pipe2();
      const port = sys.with(shim);
      const td = create(
        () => {
          const { code } = errorOf(() => sys.read(r, Buffer.alloc(1)));
          return [code, curthread().syscallPort === port];
        },
        { syscallPort: port },
      );
      sleep(2);
      td.abort();
      expect([td.join(), log]).toEqual([['ABORT_ERR', true], ['finally']]);
      sys.close(r);
      sys.close(w);
    }),
  );

  test("bad arguments of the caller are the caller's TypeError, not EIO", () => {
    shimmed([logger([], 's')], () => {
      expect(codeOf(() => sys.read('x' as unknown as number, Buffer.alloc(1)))).toBe('ERR_INVALID_ARG_TYPE');
      expect(codeOf(() => sys.nanosleep(5))).toBe('ERR_LWKT_WOULD_BLOCK');
    });
  });

  test('what is no shim is refused, and nothing is installed', () => {
    const good = logger([], 'good');
    const bad = [
      undefined,
      {},
      { name: 'x', on: 'all' },
      { name: 1, on: 'all', shim: () => () => 0 },
      { name: 'x', on: ['opn'], shim: () => () => 0 },
      { name: 'x', on: 'some', shim: () => () => 0 },
      { name: 'x', on: 'all', shim: () => 5 },
    ];
    for (const shim of bad) {
      expect(codeOf(() => syscallPort.shim(good, shim as Shim))).toMatch(/^ERR_INVALID_ARG/);
      expect(syscallPort.shims).toEqual([]);
    }
    for (const shim of bad.slice(0, -1))
      expect(codeOf(() => defineShim(shim as Shim))).toMatch(/^ERR_INVALID_ARG/);
    const td = create(() => sys.getpid(), { syscallPort: {} });
    return expect(td.finished).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe("ports of one's own", () => {
  test(
    "given to a thread and its children, over the program's shims",
    onUserthread(() => {
      const log: string[] = [];
      const port = sys.with(logger(log, 'own'));
      expect(port).toBeInstanceOf(SyscallPort);
      shimmed([logger(log, 'program')], () => {
        create(() => create(() => sys.getpid()).join(), { syscallPort: port }).join();
        expect(log).toEqual(['own getpid', 'program getpid', 'program = >= 0', 'own = >= 0']);
        log.length = 0;
        sys.getpid();
        expect(log).toEqual(['program getpid', 'program = >= 0']);
      });
      log.length = 0;
      const more = port.shim(logger(log, 'later'));
      create(() => sys.getpid(), { syscallPort: port }).join();
      expect(log).toEqual(['later getpid', 'own getpid', 'own = >= 0', 'later = >= 0']);
      more.remove();
    }),
  );

  test(
    'sys.with on a thread that has a port lies over that',
    onUserthread(() => {
      const log: string[] = [];
      create(
        () => {
          create(() => sys.getpid(), { syscallPort: sys.with(logger(log, 'inner')) }).join();
        },
        { syscallPort: sys.with(logger(log, 'outer')) },
      ).join();
      expect(log.filter((line) => !line.includes('='))).toEqual(['inner getpid', 'outer getpid']);
    }),
  );
});

test('promises go through shims, which may block, on a userthread', async () => {
  const log: string[] = [];
  const slow = defineShim({
    name: 'slow',
    on: ['open'],
    shim: (next) => (msg) => {
      sleep(2);
      log.push(`${msg.name} ${curthread().id > 0}`);
      return next(msg);
    },
  });
  const guard = syscallPort.shim(slow);
  const fd = await sys.promises.open('/dev/null');
  await expect(sys.promises.open(`${folder}/none`)).rejects.toMatchObject({
    code: 'ENOENT',
    syscall: 'open',
  });
  guard.remove();
  await sys.promises.close(fd);
  expect(log).toEqual(['open true', 'open true']);
});

test(
  'a hundred thousand messages through three shims, on a hundred threads: none lost',
  onUserthread(() => {
    let seen = 0;
    const counters = [1, 2, 3].map((i) =>
      defineShim({
        name: `counter ${i}`,
        on: ['getpid'],
        shim: (next) => (msg) => {
          seen++;
          if (seen % 1000 === 0) sleep(0);
          return next(msg);
        },
      }),
    );
    const before = sys.stats().messages;
    shimmed(counters, () => {
      const threads = Array.from({ length: 100 }, () =>
        create(() => {
          for (let i = 0; i < 1000; i++) if (sys.getpid() !== process.pid) throw new Error('wrong answer');
        }),
      );
      for (const td of threads) td.join();
    });
    expect([seen, sys.stats().messages - before]).toEqual([300_000, 100_000]);
  }),
);

test(
  'an abort that meets a wait inside of a shim is the caller’s AbortError',
  onUserthread(() => {
    const slow = defineShim({
      name: 'slow',
      on: ['getpid'],
      shim: (next) => (msg) => {
        sleep(20_000);
        return next(msg);
      },
    });
    const errors: unknown[] = [];
    const listen = (message: unknown): number => errors.push(message);
    subscribe('libcr:syscalls:shim-error', listen);
    shimmed([slow], () => {
      const td = create(() => sys.getpid());
      while (td.state !== 'blocked') sleep(0);
      td.abort('enough');
      expect(errorOf(() => td.join())).toMatchObject({ code: 'ABORT_ERR', cause: 'enough' });
    });
    unsubscribe('libcr:syscalls:shim-error', listen);
    expect(errors).toEqual([]);
  }),
);

test('a million messages through three shims: none is lost, and memory does not grow with them', async () => {
  const { status, stdout, stderr } = await runProgram('million.mjs');
  expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
  const { heapGrowth, rssGrowth, ...counts } = JSON.parse(stdout);
  expect(counts).toEqual({
    messages: 1_000_000,
    seen: 1_000_000,
    failed: 100_000,
    injected: 100_000,
    reached: 900_000,
  });
  // 900,000 messages after the first look: a pointer kept of each would be 7 MB, and a message much more.
  expect(heapGrowth).toBeLessThan(2 * 2 ** 20);
  expect(rssGrowth).toBeLessThan(64 * 2 ** 20);
});
