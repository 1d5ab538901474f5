/** syscalls.test.ts: system calls that are made on another host: here another connection's, which makes them in this process, as anybody's. */
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, curthread, Msg, MsgPort } from '@libcr/core';
import { constants as c, defineShim, sys } from '@libcr/syscalls';
import { memfs } from '@libcr/syscalls/shims/memfs';
import { policy } from '@libcr/syscalls/shims/policy';
import { OutgoingCall } from '@libcr/syscalls/wire';
import { describe, expect, test } from 'vitest';
import { connect, serve } from '../src/index.ts';
import { Packed } from '../src/payload.ts';
import { openPort } from '../src/remote-port.ts';
import { mount, remote, serveSyscalls } from '../src/syscalls/index.ts';
import { ANSWER, address, CALL, isStale, SAYS, type Welcome } from '../src/syscalls/protocol.ts';
import { hasServer, NatsServer, twoHosts, uniqueName, until } from './two-hosts.ts';

const hosts = twoHosts();
const folder = mkdtempSync(join(tmpdir(), 'libcr-remote-'));

const under = <T>(port: ReturnType<typeof sys.with>, main: () => T): Promise<T> =>
  create(main, { syscallPort: port }).finished as Promise<T>;

describe.skipIf(!hasServer)('system calls elsewhere', () => {
  test('files: opened, written, read, listed, stat', async () => {
    const name = uniqueName();
    const service = await serveSyscalls(hosts.there, name, { shims: [] });
    const files = remote(hosts.here, name);
    await under(sys.with(files), () => {
      const file = join(folder, 'one');
      const fd = sys.open(file, c.O_RDWR | c.O_CREAT, 0o600);
      expect(sys.write(fd, Buffer.from('hello there'))).toBe(11);
      const buffer = Buffer.alloc(20);
      expect(sys.pread64(fd, buffer, 20, 6)).toBe(5);
      expect(buffer.toString('latin1', 0, 5)).toBe('there');
      const parts = [Buffer.alloc(3), Buffer.alloc(5)];
      sys.lseek(fd, 0, c.SEEK_SET);
      expect(sys.readv(fd, parts)).toBe(8);
      expect(parts.map(String)).toEqual(['hel', 'lo th']);
      expect(sys.fstat(fd).size).toBe(11);
      expect(sys.stat(file).mode & 0o777).toBe(0o600);
      expect(() => sys.open(join(folder, 'none'), c.O_RDONLY)).toThrow(
        expect.objectContaining({ code: 'ENOENT' }),
      );
      sys.close(fd);
      expect(() => sys.close(fd)).toThrow(expect.objectContaining({ code: 'EBADF' }));
    });
    expect(readFileSync(join(folder, 'one'), 'utf8')).toBe('hello there');
    expect(service.stats).toMatchObject({ sessions: 1, descriptors: 0 });
    files.close();
    await until(() => service.stats.sessions === 0);
    await service.stop();
  });

  test('a pipe, and what waits for it', async () => {
    const name = uniqueName();
    await serveSyscalls(hosts.there, name, { shims: [] });
    const port = sys.with(remote(hosts.here, name));
    await under(port, () => {
      const [from, to] = sys.pipe2(0);
      const reader = create(
        () => {
          const buffer = Buffer.alloc(10);
          return buffer.toString('latin1', 0, sys.read(from, buffer));
        },
        { syscallPort: port },
      );
      sys.write(to, Buffer.from('through'));
      expect(reader.join()).toBe('through');
      expect(sys.poll([{ fd: to, events: c.POLLOUT }], 0)).toBeDefined();
    });
  });

  test('calls about this process are made here', async () => {
    const name = uniqueName();
    const service = await serveSyscalls(hosts.there, name, { shims: [] });
    await under(sys.with(remote(hosts.here, name)), () => {
      expect(sys.getpid()).toBe(process.pid);
      expect(sys.getcwd()).toBe(process.cwd());
    });
    expect(service.stats.calls).toBe(0);
  });

  test('the other side has a policy of its own', async () => {
    const name = uniqueName();
    await serveSyscalls(hosts.there, name, {
      shims: [
        policy([
          { action: 'allow', on: ['open'], path: `${folder}/**` },
          { action: 'deny', on: ['open', 'stat'], errno: 'EACCES' },
        ]),
      ],
    });
    writeFileSync(join(folder, 'allowed'), 'yes');
    await under(sys.with(remote(hosts.here, name)), () => {
      const fd = sys.open(join(folder, 'allowed'), c.O_RDONLY);
      expect(fd).toBeGreaterThan(2);
      expect(() => sys.open('/etc/passwd', c.O_RDONLY)).toThrow(expect.objectContaining({ code: 'EACCES' }));
    });
  });

  test('memfs, served to two programs', async () => {
    const name = uniqueName();
    await serveSyscalls(hosts.there, name, { shims: [memfs({ '/shared': {} })] });
    const [one, two] = [hosts.here, await hosts.server.connect()].map((nc) => sys.with(remote(nc, name)));
    await under(one as never, () => {
      const fd = sys.open('/shared/note', c.O_WRONLY | c.O_CREAT, 0o644);
      sys.write(fd, Buffer.from('from one'));
      sys.close(fd);
    });
    const read = await under(two as never, () => {
      const fd = sys.open('/shared/note', c.O_RDONLY);
      const buffer = Buffer.alloc(20);
      return buffer.toString('latin1', 0, sys.read(fd, buffer));
    });
    expect(read).toBe('from one');
  });

  test('mount: what lies under a path is theirs', async () => {
    const name = uniqueName();
    await serveSyscalls(hosts.there, name, { shims: [memfs({ '/data': { 'a.txt': 'theirs' } })] });
    writeFileSync(join(folder, 'ours'), 'ours');
    const port = sys.with(mount('/hosts/a', remote(hosts.here, name)));
    await under(port, () => {
      const read = (path: string): string => {
        const fd = sys.open(path, c.O_RDONLY);
        const buffer = Buffer.alloc(20);
        const text = buffer.toString('latin1', 0, sys.read(fd, buffer));
        expect(sys.fstat(fd).size).toBe(text.length);
        sys.close(fd);
        return text;
      };
      expect(read('/hosts/a/data/a.txt')).toBe('theirs');
      expect(read(join(folder, 'ours'))).toBe('ours');
      expect(read(`/hosts/a/../..${folder}/ours`)).toBe('ours');
      const dir = sys.open('/hosts/a/data', c.O_RDONLY | c.O_DIRECTORY);
      const fd = sys.openat(dir, 'a.txt', c.O_RDONLY);
      expect(sys.fstat(fd).size).toBe(6);
      expect(() => sys.rename('/hosts/a/data/a.txt', join(folder, 'b'))).toThrow(
        expect.objectContaining({ code: 'EXDEV' }),
      );
      sys.rename('/hosts/a/data/a.txt', '/hosts/a/data/b.txt');
      expect(read('/hosts/a/data/b.txt')).toBe('theirs');
    });
  });

  test('a client has what it has opened, and nothing of this process', async () => {
    const name = uniqueName();
    const service = await serveSyscalls(hosts.there, name, { shims: [], descriptors: 2 });
    const [one, two] = [remote(hosts.here, name), remote(hosts.here, name)].map((shim) => sys.with(shim));
    const fd = await under(one as never, () => {
      for (const own of [0, 1, 2, 5])
        expect(() => sys.fstat(own)).toThrow(expect.objectContaining({ code: 'EBADF' }));
      const opened = sys.open(folder, c.O_RDONLY);
      sys.dup(opened);
      expect(() => sys.dup(opened)).toThrow(expect.objectContaining({ code: 'EMFILE' }));
      return opened;
    });
    await under(two as never, () => {
      sys.stat(folder);
      expect(() => sys.fstat(fd)).toThrow(expect.objectContaining({ code: 'EBADF' }));
      expect(() => sys.read(fd, Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'EBADF' }));
    });
    await service.stop();
  });

  test('what is no call, or not for others', async () => {
    const name = uniqueName();
    const service = await serveSyscalls(hosts.there, name, { shims: [] });
    const hello = connect<unknown, Welcome>(hosts.here, name);
    await create(() => {
      const { session, subject } = hello.domsg(new Msg({ hello: 1 }));
      const calls = openPort<Packed, Packed>(hosts.here, name, { subject, encoding: 'packed' });
      const say = (bytes: Buffer): Buffer => calls.domsg(new Msg(new Packed(bytes))).bytes;
      const replyTo = (call: Buffer): number => {
        const front = Buffer.alloc(CALL);
        return say(address(Buffer.concat([front, call]), session, SAYS.call)).readDoubleLE(ANSWER + 1);
      };
      const made = (name: string, ...args: unknown[]): Buffer =>
        new OutgoingCall(c[`SYS_${name}` as 'SYS_read'], args, 0).bytes;
      for (const call of ['exit_group', 'kill', 'fork', 'execve', 'mmap', 'chdir', 'ptrace', 'dup2', 'ioctl'])
        expect(replyTo(made(call)), call).toBe(-c.ENOSYS);
      const read = made('read', 0, Buffer.alloc(5), 5);
      expect(replyTo(read)).toBe(-c.EBADF);
      expect(replyTo(made('read', 'x', Buffer.alloc(5), 5))).toBe(-c.EBADF);
      expect(replyTo(made('open', { length: 5 }.length, 1))).toBe(-c.EINVAL);
      for (let length = 0; length < read.length; length++)
        expect(replyTo(read.subarray(0, length)), String(length)).toBe(-c.EINVAL);
      const large = Buffer.from(read);
      large.writeUInt32LE(2 ** 32 - 1, read.length - 9);
      expect(replyTo(large)).toBe(-c.EINVAL);
      for (let i = 0; i < 2000; i++) {
        const changed = Buffer.from(read);
        for (let n = 0; n <= i % 3; n++) changed[randomInt(changed.length)] = randomInt(256);
        expect(replyTo(changed)).toBeLessThan(0);
      }
      const another = address(Buffer.alloc(CALL), Buffer.alloc(16), SAYS.call);
      expect(isStale(new Packed(say(another)))).toBe(true);
      for (let length = 2; length < CALL; length++)
        expect(isStale(new Packed(say(Buffer.alloc(length)))), String(length)).toBe(true);
    }).finished;
    expect(service.stats.descriptors).toBe(0);
    await service.stop();
  });

  test('the server is gone: ESTALE for what was open, a new session for paths', async () => {
    const name = uniqueName();
    const first = await serveSyscalls(hosts.there, name, { shims: [] });
    const port = sys.with(remote(hosts.here, name, { timeout: 2000 }));
    let fd = -1;
    await under(port, () => {
      fd = sys.open(folder, c.O_RDONLY);
    });
    await first.stop();
    await under(port, () => {
      expect(() => sys.fstat(fd)).toThrow(expect.objectContaining({ code: 'EHOSTDOWN' }));
      expect(() => sys.stat(folder)).toThrow(expect.objectContaining({ code: 'EHOSTDOWN' }));
    });
    await serveSyscalls(hosts.there, name, { shims: [] });
    await under(port, () => {
      sys.stat(folder);
      expect(() => sys.fstat(fd)).toThrow(expect.objectContaining({ code: 'EBADF' }));
    });
  });

  test('large reads and writes are short, and lose nothing', async () => {
    const name = uniqueName();
    await serveSyscalls(hosts.there, name, { shims: [] });
    const data = Buffer.alloc(3_000_000, 'abcdefg');
    await under(sys.with(remote(hosts.here, name)), () => {
      const fd = sys.open(join(folder, 'large'), c.O_RDWR | c.O_CREAT, 0o600);
      for (let at = 0; at < data.length; ) at += sys.write(fd, data.subarray(at));
      const back = Buffer.alloc(data.length);
      for (let at = 0; at < back.length; ) at += sys.pread64(fd, back.subarray(at), back.length - at, at);
      expect(back.equals(data)).toBe(true);
    });
  });

  test('two hosts are mounted side by side', async () => {
    const mounts = await Promise.all(
      ['a', 'b'].map(async (text) => {
        const name = uniqueName();
        await serveSyscalls(hosts.there, name, { shims: [memfs({ '/data': { file: text } })] });
        return mount(`/${text}`, remote(hosts.here, name));
      }),
    );
    await under(sys.with(...mounts), () => {
      const fds = ['/a', '/b'].map((path) => sys.open(`${path}/data/file`, c.O_RDONLY));
      const [a, b] = fds as [number, number];
      expect(a).not.toBe(b);
      const first = (fd: number): string => {
        const buffer = Buffer.alloc(1);
        return buffer.toString('latin1', 0, sys.pread64(fd, buffer, 1, 0));
      };
      expect(fds.map(first)).toEqual(['a', 'b']);
      sys.close(a);
      expect(() => sys.fstat(a)).toThrow(expect.objectContaining({ code: 'EBADF' }));
      expect(first(b)).toBe('b');
      expect(() => sys.rename('/a/data/file', '/b/data/x')).toThrow(
        expect.objectContaining({ code: 'EXDEV' }),
      );
      const again = sys.open('/a/data/file', c.O_RDONLY);
      expect(first(again)).toBe('a');
      for (const fd of [again, b]) sys.close(fd);
    });
  });

  test("another host's descriptor is never taken for one of this process'", async () => {
    const name = uniqueName();
    await serveSyscalls(hosts.there, name, { shims: [] });
    const files = remote(hosts.here, name);
    const failing = (code: string) => expect.objectContaining({ code });
    for (const [port, path] of [
      [sys.with(files), folder],
      [sys.with(mount('/far', files)), `/far${folder}`],
    ] as const)
      await under(port, () => {
        const fd = sys.open(path, c.O_RDONLY);
        expect(() => sys.dup2(fd, 100)).toThrow(failing('ENOTSUP'));
        expect(() => sys.fchdir(fd)).toThrow(failing('ENOTSUP'));
        expect(sys.raw(c.SYS_ioctl, fd, 0x5401, Buffer.alloc(60))).toBe(-1);
        expect(curthread().errno).toBe(c.ENOTTY);
        sys.close(fd);
      });
    await under(sys.with(mount('/far', files)), () => {
      expect(() => sys.chdir(`/far${folder}`)).toThrow(failing('ENOTSUP'));
    });
  });

  test('a client that gives up, or goes, interrupts its calls', async () => {
    const name = uniqueName();
    const service = await serveSyscalls(hosts.there, name, { shims: [], concurrency: 2 });
    const files = remote(hosts.here, name, { timeout: 20_000 });
    const port = sys.with(files);
    const [from, to] = await under(port, () => sys.pipe2(0));
    const read = () => sys.read(from, Buffer.alloc(1));
    const waiting = create(read, { syscallPort: port });
    const outcome = waiting.finished.catch(({ name }) => name);
    const busy = () => service.stats.calls;
    await until(() => busy() === 2);
    waiting.abort();
    expect(await outcome).toBe('AbortError');
    // One of the two that make calls is free again: as many as there are can wait now, and the last one is made.
    const more = create(read, { syscallPort: port }).finished;
    await under(port, () => sys.write(to, Buffer.from('x')));
    expect(await more).toBe(1);
    const last = create(read, { syscallPort: port }).finished.catch(({ code }) => code);
    await until(() => busy() === 5);
    files.close();
    expect(await last).toBe('EINTR');
    expect(service.stats).toMatchObject({ sessions: 0, descriptors: 0 });
    await service.stop();
  });

  test('stop() ends what waits', async () => {
    const name = uniqueName();
    const service = await serveSyscalls(hosts.there, name, { shims: [] });
    const port = sys.with(remote(hosts.here, name));
    const waiting = under(port, () => sys.read(sys.pipe2(0)[0], Buffer.alloc(1))).catch(({ code }) => code);
    await until(() => service.stats.calls === 2);
    await service.stop();
    expect(await waiting).toBe('EINTR');
  });

  test("a descriptor that is closed while a call has it is closed after that: its number is nobody else's meanwhile", async () => {
    const name = uniqueName();
    const service = await serveSyscalls(hosts.there, name, { shims: [] });
    const port = sys.with(remote(hosts.here, name));
    const [from, to] = await under(port, () => sys.pipe2(0));
    const waiting = under(port, () => sys.read(from, Buffer.alloc(1)));
    await until(() => service.stats.calls === 2);
    await under(port, () => {
      sys.close(from);
      expect(() => sys.fstat(from)).toThrow(expect.objectContaining({ code: 'EBADF' }));
      expect(sys.open(folder, c.O_RDONLY)).not.toBe(from);
      sys.write(to, Buffer.from('x'));
    });
    expect(await waiting).toBe(1);
    await under(port, () => {
      expect(() => sys.write(to, Buffer.from('x'))).toThrow(expect.objectContaining({ code: 'EPIPE' }));
    });
    await service.stop();
  });

  test('a NATS server that takes little: reads and writes are shorter', async () => {
    const file = join(folder, 'small.conf');
    writeFileSync(file, 'max_payload: 20000\n');
    const own = await new NatsServer('-c', file).start();
    const [here, there] = [await own.connect(), await own.connect()];
    await serveSyscalls(there, 'files', { shims: [] });
    await under(sys.with(remote(here, 'files')), () => {
      const fd = sys.open(join(folder, 'small'), c.O_RDWR | c.O_CREAT, 0o600);
      const data = Buffer.alloc(50_000, 'abc');
      let at = 0;
      for (; at < data.length; ) at += sys.write(fd, data.subarray(at));
      const buffer = Buffer.alloc(50_000);
      const n = sys.pread64(fd, buffer, buffer.length, 0);
      expect(n).toBeLessThan(20_000);
      expect(buffer.subarray(0, n).equals(data.subarray(0, n))).toBe(true);
    });
    for (const nc of [here, there]) await nc.close();
    await own.kill();
  });

  test('arguments that no call takes', async () => {
    const name = uniqueName();
    await serveSyscalls(hosts.there, name, { shims: [] });
    await under(sys.with(remote(hosts.here, name)), () => {
      const fd = sys.open(folder, c.O_RDONLY);
      for (const memory of [{}, () => 1, 'text', [1], 5]) {
        expect(sys.raw(c.SYS_read, fd, memory, 5)).toBe(-1);
        expect(curthread().errno).toBe(c.EINVAL);
      }
      expect(sys.raw(c.SYS_read, fd, Buffer.alloc(5), 2 ** 40)).toBe(-1);
      expect(curthread().errno).toBe(c.EISDIR);
    });
  });

  test('a host that answers with what it was not asked for', async () => {
    const name = uniqueName();
    const reply = defineShim({
      name: 'hostile',
      on: ['read', 'readv', 'readlink'],
      shim: () => () => 1_000_000,
    });
    await serveSyscalls(hosts.there, name, { shims: [reply] });
    await under(sys.with(remote(hosts.here, name)), () => {
      const fd = sys.open(folder, c.O_RDONLY);
      const protocol = expect.objectContaining({ code: 'EPROTO' });
      expect(() => sys.read(fd, Buffer.alloc(5))).toThrow(protocol);
      expect(() => sys.readv(fd, [Buffer.alloc(5)])).toThrow(protocol);
      expect(() => sys.readlink(folder)).toThrow(protocol);
    });
    // And one that is no server of ours.
    for (const [i, welcome] of [5, {}, { session: Buffer.alloc(16), subject: 'a b', room: 5 }].entries()) {
      const port = new MsgPort<unknown, unknown>(`welcome ${i}`, { putport: () => welcome as never });
      const other = uniqueName();
      await serve(hosts.there, other, port);
      await under(sys.with(remote(hosts.here, other)), () => {
        expect(() => sys.stat(folder)).toThrow(expect.objectContaining({ code: 'EIO' }));
      });
    }
  });

  test('clients without number are refused', async () => {
    const name = uniqueName();
    const service = await serveSyscalls(hosts.there, name, { shims: [] });
    const hello = connect<unknown, Welcome>(hosts.here, name);
    await create(() => {
      const replies = new MsgPort<unknown, Welcome>('replies');
      const count = 10_050;
      for (let i = 0; i < count; i++) hello.sendmsg(new Msg({ hello: 1 }, { replyPort: replies as MsgPort }));
      let refused = 0;
      for (let i = 0; i < count; i++) {
        const { error } = replies.waitport();
        if (error !== undefined) {
          expect(error).toMatchObject({ code: 'ERR_LIBCR_NATS_BUSY' });
          refused++;
        }
      }
      expect(refused).toBe(50);
    }).finished;
    expect(service.stats.sessions).toBe(10_000);
    await under(sys.with(remote(hosts.here, name)), () => {
      expect(() => sys.stat(folder)).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
    });
    await service.stop();
  });

  test('misuse', async () => {
    expect(() => remote(hosts.here, 'a b')).toThrow(TypeError);
    expect(() => remote(hosts.here, 'x', { ownsConnection: 1 as never })).toThrow(TypeError);
    expect(() => mount('relative', remote(hosts.here, 'x'))).toThrow(TypeError);
    expect(() => mount('/x', {} as never)).toThrow(TypeError);
    for (const concurrency of [0, -1, Number.POSITIVE_INFINITY])
      await expect(serveSyscalls(hosts.there, 'x', { shims: [], concurrency })).rejects.toThrow(RangeError);
    await expect(serveSyscalls(hosts.there, 'x', {} as never)).rejects.toThrow(TypeError);
    await expect(serveSyscalls(hosts.there, 'x', { shims: [5] as never })).rejects.toThrow(TypeError);
  });
});
