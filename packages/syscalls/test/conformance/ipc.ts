/** ipc.ts: conformance of message queues, semaphores and shared memory. */
import { constants as c, sys } from '../../src/index.ts';
import { BAD, type Cases, type Place, raw } from './case.ts';

/** Makes something with a key of its own, and removes it. */
const using = <T>(make: () => number, remove: (id: number) => void, fn: (id: number) => T): T => {
  const id = make();
  try {
    return fn(id);
  } finally {
    remove(id);
  }
};
const semaphores = <T>(fn: (id: number) => T): T =>
  using(
    () => sys.semget(c.IPC_PRIVATE, 1, 0o600),
    (id) => raw('semctl', id, 0, c.IPC_RMID, 0),
    fn,
  );
const queue = <T>(fn: (id: number) => T): T =>
  using(
    () => sys.msgget(c.IPC_PRIVATE, 0o600),
    (id) => raw('msgctl', id, c.IPC_RMID, null),
    fn,
  );
const segment = <T>(fn: (id: number) => T): T =>
  using(
    () => sys.shmget(c.IPC_PRIVATE, 5000, 0o600),
    (id) => raw('shmctl', id, c.IPC_RMID, null),
    fn,
  );
const name = (p: Place): string => `libcr-${p.folder.replace(/.*-/, '')}`;
const posix = <T>(p: Place, fn: (fd: number) => T, flags = 0): T =>
  using(
    () => p.keep(sys.mq_open(name(p), c.O_CREAT | c.O_RDWR | flags, 0o600, { maxmsg: 2, msgsize: 16 })),
    () => sys.mq_unlink(name(p)),
    fn,
  );
const message = (text: string): Buffer => {
  const bytes = Buffer.alloc(8 + text.length);
  bytes.writeBigInt64LE(1n);
  bytes.write(text, 8);
  return bytes;
};
const value = (id: number): number => raw('semctl', id, 0, c.GETVAL, 0);

export const ipc: Cases = {
  shmget: {
    works: () => [segment((id) => id >= 0), true],
    fails: { ENOENT: () => sys.shmget(0x6c696263, 1), EINVAL: () => sys.shmget(c.IPC_PRIVATE, 0) },
  },
  shmctl: {
    works: () => {
      const struct = Buffer.alloc(112);
      return [
        segment((id) => [raw('shmctl', id, c.IPC_STAT, struct), struct.readBigUInt64LE(48)]),
        [0, 5000n],
      ];
    },
    fails: {
      EINVAL: () => raw('shmctl', -1, c.IPC_STAT, Buffer.alloc(112)),
      ERR_OUT_OF_RANGE: () => raw('shmctl', 0, c.IPC_STAT, Buffer.alloc(111)),
    },
  },
  semget: {
    works: () => [semaphores((id) => id >= 0), true],
    fails: { ENOENT: () => sys.semget(0x6c696263, 1), EINVAL: () => sys.semget(c.IPC_PRIVATE, -1) },
  },
  semop: {
    works: () => [
      semaphores((id) => {
        sys.semop(id, [
          { semaphore: 0, operation: 3 },
          { semaphore: 0, operation: -1 },
        ]);
        return value(id);
      }),
      2,
    ],
    fails: {
      EINVAL: () => sys.semop(-1, [{ semaphore: 0, operation: 1 }]),
      EAGAIN: () => semaphores((id) => sys.semop(id, [{ semaphore: 0, operation: -1, flags: c.IPC_NOWAIT }])),
      EFBIG: () => semaphores((id) => sys.semop(id, [{ semaphore: 9, operation: 1 }])),
      ERR_OUT_OF_RANGE: () => sys.semop(0, [{ semaphore: 0, operation: 40_000 }]),
    },
  },
  semtimedop: {
    works: () => [
      semaphores((id) => {
        sys.semtimedop(id, [{ semaphore: 0, operation: 3 }], 1000);
        return value(id);
      }),
      3,
    ],
    fails: { EAGAIN: () => semaphores((id) => sys.semtimedop(id, [{ semaphore: 0, operation: -1 }], 5)) },
  },
  semctl: {
    works: () => [semaphores((id) => [raw('semctl', id, 0, c.SETVAL, 7), value(id)]), [0, 7]],
    fails: {
      EINVAL: () => raw('semctl', -1, 0, c.GETVAL, 0),
      ERR_OUT_OF_RANGE: () => raw('semctl', 0, 0, c.IPC_STAT, Buffer.alloc(103)),
    },
  },
  msgget: { works: () => [queue((id) => id >= 0), true], fails: { ENOENT: () => sys.msgget(0x6c696263) } },
  msgsnd: {
    works: () => [queue((id) => raw('msgsnd', id, message('hello'), 5, 0)), 0],
    fails: {
      EINVAL: () => raw('msgsnd', -1, message('x'), 1, 0),
      ERR_OUT_OF_RANGE: () => raw('msgsnd', 0, message('x'), 2, 0),
    },
  },
  msgrcv: {
    works: () => {
      const into = Buffer.alloc(20);
      return [
        queue((id) => {
          raw('msgsnd', id, message('hello'), 5, 0);
          const length = raw('msgrcv', id, into, 12, 0, 0);
          return into.toString('utf8', 8, 8 + length);
        }),
        'hello',
      ];
    },
    fails: {
      ENOMSG: () => queue((id) => raw('msgrcv', id, Buffer.alloc(20), 12, 0, c.IPC_NOWAIT)),
      ERR_OUT_OF_RANGE: () => raw('msgrcv', 0, Buffer.alloc(20), 13, 0, 0),
    },
  },
  msgctl: {
    works: () => [queue((id) => raw('msgctl', id, c.IPC_STAT, Buffer.alloc(120))), 0],
    fails: { EINVAL: () => raw('msgctl', -1, c.IPC_STAT, Buffer.alloc(120)) },
  },
  mq_open: {
    works: (p) => [posix(p, (fd) => fd > 2), true],
    fails: {
      ENOENT: (p) => sys.mq_open(name(p), c.O_RDWR),
      EINVAL: (p) => sys.mq_open(name(p), c.O_CREAT | c.O_RDWR, 0o600, { maxmsg: 0, msgsize: 1 }),
    },
  },
  mq_unlink: { works: (p) => [posix(p, () => 1), 1], fails: { ENOENT: (p) => sys.mq_unlink(name(p)) } },
  mq_timedsend: {
    works: (p) => [
      posix(p, (fd) => {
        sys.mq_timedsend(fd, 'hello');
        return sys.mq_getsetattr(fd).curmsgs;
      }),
      1,
    ],
    fails: {
      EBADF: () => sys.mq_timedsend(BAD, 'x'),
      EMSGSIZE: (p) => posix(p, (fd) => sys.mq_timedsend(fd, 'x'.repeat(17))),
    },
  },
  mq_timedreceive: {
    works: (p) => {
      const b = Buffer.alloc(16);
      return [
        posix(p, (fd) => {
          sys.mq_timedsend(fd, 'hello', 3);
          return [sys.mq_timedreceive(fd, b), b.toString('utf8', 0, 5)];
        }),
        [{ length: 5, priority: 3 }, 'hello'],
      ];
    },
    fails: {
      EMSGSIZE: (p) => posix(p, (fd) => sys.mq_timedreceive(fd, Buffer.alloc(15))),
      EAGAIN: (p) => posix(p, (fd) => sys.mq_timedreceive(fd, Buffer.alloc(16)), c.O_NONBLOCK),
      ETIMEDOUT: (p) => posix(p, (fd) => sys.mq_timedreceive(fd, Buffer.alloc(16), 1)),
    },
  },
  mq_getsetattr: {
    works: (p) => [posix(p, (fd) => sys.mq_getsetattr(fd)), { flags: 0, maxmsg: 2, msgsize: 16, curmsgs: 0 }],
    fails: {
      EBADF: (p) => sys.mq_getsetattr(p.open()),
      EINVAL: (p) => posix(p, (fd) => sys.mq_getsetattr(fd, { flags: 1 })),
    },
  },
};
