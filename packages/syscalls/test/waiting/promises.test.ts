/** promises.test.ts: sys.promises, and sys on thread0: code on the event loop. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { constants as c, sys } from '../../src/index.ts';
import { codeOf, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

describe('sys.promises', () => {
  test('has every call that sys has', () => {
    const others = ['promises', 'raw', 'with', 'stats'];
    expect(Object.keys(sys.promises).sort()).toEqual(
      Object.keys(sys)
        .filter((name) => !others.includes(name))
        .sort(),
    );
  });

  test('waits where the call waits; the loop goes on', async () => {
    const [r, w] = await sys.promises.pipe2();
    const buffer = Buffer.alloc(10);
    const reading = sys.promises.read(r, buffer);
    const order: string[] = [];
    void reading.then(() => order.push('read'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    order.push('timer');
    expect(await sys.promises.write(w, 'text')).toBe(4);
    expect([await reading, buffer.toString('utf8', 0, 4), order]).toEqual([4, 'text', ['timer', 'read']]);
    const late = sys.promises.read(r, buffer);
    await sys.promises.close(r);
    await expect(late).rejects.toMatchObject({ code: 'EBADF', syscall: 'read' });
    await sys.promises.close(w);
  });

  test('large files, fsync, FIFOs: helper threads', async () => {
    const data = Buffer.alloc(1_000_000, 'abc');
    const fd = await sys.promises.open(at('file'), c.O_CREAT | c.O_RDWR);
    expect(await sys.promises.write(fd, data)).toBe(data.length);
    await sys.promises.fsync(fd);
    const back = Buffer.alloc(data.length);
    expect(await sys.promises.pread64(fd, back, back.length, 0)).toBe(data.length);
    expect(back.equals(data)).toBe(true);
    await sys.promises.close(fd);
    execFileSync('mkfifo', [at('fifo')]);
    const ends = await Promise.all([
      sys.promises.open(at('fifo'), c.O_RDONLY),
      sys.promises.open(at('fifo'), c.O_WRONLY),
    ]);
    for (const end of ends) await sys.promises.close(end);
  });

  test('sleeps, polls, sockets', async () => {
    const start = performance.now();
    await sys.promises.nanosleep(10);
    expect(performance.now() - start).toBeGreaterThanOrEqual(9.5);
    const listener = await sys.promises.socket(c.AF_INET, c.SOCK_STREAM);
    await sys.promises.bind(listener, { family: 'inet', address: '127.0.0.1', port: 0 });
    await sys.promises.listen(listener);
    const address = await sys.promises.getsockname(listener);
    if (address === undefined) throw new Error('no address');
    const accepting = sys.promises.accept4(listener);
    const client = await sys.promises.socket(c.AF_INET, c.SOCK_STREAM);
    await sys.promises.connect(client, address);
    const { fd } = await accepting;
    const fds = [{ fd, events: c.POLLIN }];
    const polling = sys.promises.poll(fds);
    await sys.promises.sendto(client, 'x');
    expect([await polling, fds]).toEqual([1, [{ fd, events: c.POLLIN, revents: c.POLLIN }]]);
    for (const open of [listener, client, fd]) await sys.promises.close(open);
  });

  test('errors are rejections, also for bad arguments', async () => {
    await expect(sys.promises.open(at('none'))).rejects.toMatchObject({
      errno: -2,
      code: 'ENOENT',
      syscall: 'open',
      path: at('none'),
    });
    await expect(sys.promises.read('0' as unknown as number, Buffer.alloc(1))).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    });
  });
});

describe('sys on thread0', () => {
  test('is synchronous, as fs.*Sync', () => {
    const data = Buffer.alloc(500_000, 'xyz');
    const fd = sys.open(at('sync'), c.O_CREAT | c.O_RDWR);
    expect(sys.write(fd, data)).toBe(data.length);
    sys.fsync(fd);
    const back = Buffer.alloc(data.length);
    expect(sys.pread64(fd, back, back.length, 0)).toBe(data.length);
    expect(back.equals(data)).toBe(true);
    expect(fs.readFileSync(at('sync')).equals(data)).toBe(true);
    sys.close(fd);
  });

  test('refuses to wait: ERR_LWKT_WOULD_BLOCK, and nothing is lost', () => {
    const [r, w] = sys.pipe2();
    const buffer = Buffer.alloc(4);
    const before = fs.readdirSync('/proc/self/fd').length;
    execFileSync('mkfifo', [at('refused')]);
    for (const blocking of [
      () => sys.read(r, buffer),
      () => sys.nanosleep(1),
      () => sys.poll([{ fd: r, events: c.POLLIN }]),
      () => sys.open(at('refused')),
      () => sys.open(at('refused'), c.O_WRONLY),
    ])
      expect([blocking.toString(), codeOf(blocking)]).toEqual([blocking.toString(), 'ERR_LWKT_WOULD_BLOCK']);
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
    expect(sys.write(w, 'here')).toBe(4);
    expect(sys.read(r, buffer)).toBe(4);
    sys.close(r);
    sys.close(w);
  });
});
