/** sockets.ts: conformance of sockets. */
import { constants as c, type SockAddr, sys } from '../../src/index.ts';
import { BAD, type Cases, type Place, raw } from './case.ts';

const LOCAL: SockAddr = { family: 'inet', address: '127.0.0.1', port: 0 };
const socket = (p: Place, type: number = c.SOCK_STREAM, family: number = c.AF_INET): number =>
  p.keep(sys.socket(family, type | c.SOCK_CLOEXEC));
const bound = (p: Place, type: number = c.SOCK_STREAM): [number, SockAddr] => {
  const fd = socket(p, type);
  sys.bind(fd, LOCAL);
  return [fd, sys.getsockname(fd) as SockAddr];
};
const listening = (p: Place): [number, SockAddr] => {
  const [fd, address] = bound(p);
  sys.listen(fd);
  return [fd, address];
};
/** A listener that somebody has connected to, and that somebody's address. */
const called = (p: Place): [number, SockAddr | undefined] => {
  const [listener, address] = listening(p);
  const client = socket(p);
  sys.connect(client, address);
  return [listener, sys.getsockname(client)];
};
const buffers = (): Buffer[] => [Buffer.alloc(3), Buffer.alloc(20)];
const text = (list: Buffer[], length: number): string => Buffer.concat(list).toString('utf8', 0, length);

export const sockets: Cases = {
  socket: {
    works: (p) => [sys.getsockopt(socket(p), c.SOL_SOCKET, c.SO_DOMAIN).readInt32LE(0), c.AF_INET],
    fails: {
      EAFNOSUPPORT: () => sys.socket(99, c.SOCK_STREAM),
      EINVAL: () => sys.socket(c.AF_INET, 99),
      EPROTONOSUPPORT: () => sys.socket(c.AF_INET, c.SOCK_STREAM, 250),
    },
  },
  socketpair: {
    works: (p) => {
      const [a, b] = p.sockets();
      sys.write(a, 'hi');
      const list = buffers();
      return [text(list, sys.readv(b, list)), 'hi'];
    },
    fails: {
      EOPNOTSUPP: () => sys.socketpair(c.AF_INET, c.SOCK_STREAM),
      EPROTONOSUPPORT: () => sys.socketpair(c.AF_UNIX, c.SOCK_STREAM, 9),
    },
  },
  connect: {
    works: (p) => [called(p)[1]?.family, 'inet'],
    fails: {
      EBADF: () => sys.connect(BAD, LOCAL),
      ENOTSOCK: (p) => sys.connect(p.open(), LOCAL),
      ECONNREFUSED: (p) => {
        const [fd, address] = bound(p);
        sys.close(fd);
        return sys.connect(socket(p), address);
      },
      ENOENT: (p) => sys.connect(socket(p, c.SOCK_STREAM, c.AF_UNIX), { family: 'unix', path: p.at('none') }),
      ERR_INVALID_ARG_TYPE: (p) => sys.connect(socket(p), { family: 'inet', address: 'x', port: 1 }),
    },
  },
  accept: {
    works: (p) => {
      const [listener, caller] = called(p);
      const { fd, address } = sys.accept(listener);
      p.keep(fd);
      return [address, caller];
    },
    fails: {
      EBADF: () => sys.accept(BAD),
      ENOTSOCK: (p) => sys.accept(p.open()),
      EINVAL: (p) => sys.accept(socket(p)),
    },
  },
  accept4: {
    works: (p) => {
      const [listener, caller] = called(p);
      const { fd, address } = sys.accept4(listener, c.SOCK_CLOEXEC);
      return [
        [address, sys.fcntl(p.keep(fd), c.F_GETFD)],
        [caller, c.FD_CLOEXEC],
      ];
    },
    fails: {
      EINVAL: (p) => sys.accept4(called(p)[0], 1),
      EOPNOTSUPP: (p) => sys.accept4(socket(p, c.SOCK_DGRAM)),
    },
  },
  sendto: {
    works: (p) => {
      const [fd, address] = bound(p, c.SOCK_DGRAM);
      const list = buffers();
      return [
        [sys.sendto(socket(p, c.SOCK_DGRAM), 'hello', 0, address), text(list, sys.readv(fd, list))],
        [5, 'hello'],
      ];
    },
    fails: {
      ENOTSOCK: (p) => sys.sendto(p.open(), 'x'),
      EDESTADDRREQ: (p) => sys.sendto(socket(p, c.SOCK_DGRAM), 'x'),
      EPIPE: (p) => sys.sendto(socket(p), 'x', c.MSG_NOSIGNAL),
      EMSGSIZE: (p) =>
        sys.sendto(socket(p, c.SOCK_DGRAM), Buffer.alloc(70_000), 0, bound(p, c.SOCK_DGRAM)[1]),
    },
  },
  recvfrom: {
    works: (p) => {
      const [[fd], [from, address]] = [bound(p, c.SOCK_DGRAM), bound(p, c.SOCK_DGRAM)];
      sys.sendto(from, 'hello', 0, sys.getsockname(fd) as SockAddr);
      const b = Buffer.alloc(10);
      return [
        [sys.recvfrom(fd, b), b.toString('utf8', 0, 5)],
        [{ length: 5, address }, 'hello'],
      ];
    },
    fails: {
      ENOTCONN: (p) => sys.recvfrom(socket(p), Buffer.alloc(1)),
      ENOTSOCK: (p) => sys.recvfrom(p.open(), Buffer.alloc(1)),
      EBADF: () => sys.recvfrom(BAD, Buffer.alloc(1)),
    },
  },
  sendmsg: {
    works: (p) => {
      const [a, b] = p.sockets();
      const [file, list] = [p.open(), buffers()];
      sys.sendmsg(a, {
        buffers: [Buffer.from('he'), Buffer.from('llo')],
        control: [{ type: 'rights', fds: [file] }],
      });
      const { length, control } = sys.recvmsg(b, { buffers: list, controlSize: 64 });
      const [received] = control as [{ type: 'rights'; fds: number[] }];
      p.keep(received.fds);
      return [
        [text(list, length), sys.fstat(received.fds[0] as number).ino],
        ['hello', sys.fstat(file).ino],
      ];
    },
    fails: {
      EBADF: () => sys.sendmsg(BAD, { buffers: [] }),
      ENOTSOCK: (p) => sys.sendmsg(p.open(), { buffers: [] }),
      EINVAL: (p) =>
        sys.sendmsg(p.sockets()[0], {
          buffers: [Buffer.from('x')],
          control: [{ type: 99, level: c.SOL_SOCKET, data: new Uint8Array(4) }],
        }),
      ERR_INVALID_ARG_TYPE: (p) => sys.sendmsg(p.sockets()[0], { buffers: [1 as unknown as Buffer] }),
      EMSGSIZE: (p) => sys.sendmsg(p.sockets()[0], { buffers: Array<Buffer>(1025).fill(Buffer.alloc(1)) }),
    },
  },
  recvmsg: {
    works: (p) => {
      const [a, b] = p.sockets(c.SOCK_DGRAM);
      sys.setsockopt(b, c.SOL_SOCKET, c.SO_PASSCRED, 1);
      sys.sendto(a, 'hello');
      const got = sys.recvmsg(b, { buffers: [Buffer.alloc(3)], controlSize: 64 });
      const credentials = {
        type: 'credentials',
        pid: process.pid,
        uid: process.getuid?.(),
        gid: process.getgid?.(),
      };
      return [
        [got.length, got.flags, got.control],
        [3, c.MSG_TRUNC, [credentials]],
      ];
    },
    fails: {
      EBADF: () => sys.recvmsg(BAD, { buffers: [] }),
      ENOTSOCK: (p) => sys.recvmsg(p.open(), { buffers: [] }),
      EAGAIN: (p) => sys.recvmsg(p.sockets()[0], { buffers: buffers() }, c.MSG_DONTWAIT),
      ERR_INVALID_ARG_TYPE: (p) => raw('recvmsg', p.sockets()[0], Buffer.alloc(56), 0),
    },
  },
  sendmmsg: {
    works: (p) => {
      const [a, b] = p.sockets(c.SOCK_DGRAM);
      const sent = sys.sendmmsg(
        a,
        ['one', 'three'].map((word) => ({ buffers: [Buffer.from(word)] })),
      );
      const list = buffers();
      return [
        [sent, text(list, sys.readv(b, list))],
        [[3, 5], 'one'],
      ];
    },
    fails: {
      EBADF: () => sys.sendmmsg(BAD, [{ buffers: [] }]),
      ERR_OUT_OF_RANGE: (p) =>
        sys.sendmmsg(
          p.sockets()[0],
          Array.from({ length: 65 }, () => ({ buffers: [] })),
        ),
    },
  },
  recvmmsg: {
    works: (p) => {
      const [a, b] = p.sockets(c.SOCK_DGRAM);
      for (const word of ['one', 'three']) sys.write(a, word);
      const got = sys.recvmmsg(
        b,
        [buffers(), buffers()].map((list) => ({ buffers: list })),
      );
      return [got.map(({ length }) => length), [3, 5]];
    },
    fails: {
      EBADF: () => sys.recvmmsg(BAD, [{ buffers: [] }]),
      EAGAIN: (p) => sys.recvmmsg(p.sockets()[0], [{ buffers: [] }], c.MSG_DONTWAIT),
    },
  },
  shutdown: {
    works: (p) => {
      const [a, b] = p.sockets();
      sys.shutdown(a, c.SHUT_WR);
      return [sys.read(b, Buffer.alloc(1)), 0];
    },
    fails: {
      EBADF: () => sys.shutdown(BAD, 0),
      ENOTSOCK: (p) => sys.shutdown(p.open(), 0),
      ENOTCONN: (p) => sys.shutdown(socket(p), 0),
      EINVAL: (p) => sys.shutdown(p.sockets()[0], 9),
    },
  },
  bind: {
    works: (p) => [bound(p)[1].family, 'inet'],
    fails: {
      EADDRINUSE: (p) => sys.bind(socket(p), listening(p)[1]),
      EADDRNOTAVAIL: (p) => sys.bind(socket(p), { family: 'inet', address: '192.0.2.1', port: 0 }),
      EINVAL: (p) => sys.bind(bound(p)[0], LOCAL),
      ENOTSOCK: (p) => sys.bind(p.open(), LOCAL),
    },
  },
  listen: {
    works: (p) => [sys.getsockopt(listening(p)[0], c.SOL_SOCKET, c.SO_ACCEPTCONN).readInt32LE(0), 1],
    fails: {
      EBADF: () => sys.listen(BAD),
      ENOTSOCK: (p) => sys.listen(p.open()),
      EOPNOTSUPP: (p) => sys.listen(socket(p, c.SOCK_DGRAM)),
    },
  },
  getsockname: {
    works: (p) => {
      const fd = socket(p, c.SOCK_RAW, c.AF_NETLINK);
      sys.bind(fd, { family: 'netlink', pid: 0, groups: 1 });
      return [(sys.getsockname(fd) as { groups: number }).groups, 1];
    },
    fails: { EBADF: () => sys.getsockname(BAD), ENOTSOCK: (p) => sys.getsockname(p.open()) },
  },
  getpeername: {
    works: (p) => [sys.getpeername(p.sockets()[0]), { family: 'unix', path: '' }],
    fails: { ENOTCONN: (p) => sys.getpeername(socket(p)), ENOTSOCK: (p) => sys.getpeername(p.open()) },
  },
  setsockopt: {
    works: (p) => {
      const fd = socket(p);
      sys.setsockopt(fd, c.SOL_SOCKET, c.SO_KEEPALIVE, 1);
      return [sys.getsockopt(fd, c.SOL_SOCKET, c.SO_KEEPALIVE).readInt32LE(0), 1];
    },
    fails: {
      ENOPROTOOPT: (p) => sys.setsockopt(socket(p), c.SOL_SOCKET, 9999, 1),
      ENOTSOCK: (p) => sys.setsockopt(p.open(), 1, 1, 1),
      EINVAL: (p) => sys.setsockopt(socket(p), c.SOL_SOCKET, c.SO_KEEPALIVE, Buffer.alloc(1)),
    },
  },
  getsockopt: {
    works: (p) => [
      sys.getsockopt(p.sockets()[0], c.SOL_SOCKET, c.SO_PEERCRED, 100).readInt32LE(0),
      process.pid,
    ],
    fails: {
      ENOPROTOOPT: (p) => sys.getsockopt(socket(p), c.SOL_SOCKET, 9999),
      ENOTSOCK: (p) => sys.getsockopt(p.open(), 1, 1),
      ERR_OUT_OF_RANGE: (p) => sys.getsockopt(socket(p), 1, 1, -1),
    },
  },
};
