/** record.test.ts: record and replay: the same answers without the kernel, and the first call that differs. */
import fs from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create, sleep, wait } from '@libcr/core';
import { expect, test } from 'vitest';
import { constants as c, sys } from '../../src/index.ts';
import { dial, listen } from '../../src/net/index.ts';
import { record } from '../../src/shims/record/index.ts';
import { type Replay, type ReplayOptions, readHeader, replay } from '../../src/shims/replay/index.ts';
import { codeOf, errorOf, onUserthread, runProgram, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
let files = 0;

/** Runs fn, recorded; the file. */
function recorded(fn: () => unknown): { file: string; result: unknown } {
  const file = at(`recording-${++files}`);
  const recorder = record({ file });
  const result = create(fn, { name: 'program', syscallPort: sys.with(recorder) }).join();
  recorder.close();
  return { file, result };
}

function replayed(file: string, fn: () => unknown, options: Partial<ReplayOptions> = {}): unknown {
  const shim: Replay = replay({ file, ...options });
  const result = create(fn, { name: 'program', syscallPort: sys.with(shim) }).join();
  shim.finish();
  return result;
}

function readFile(path: string): string {
  const fd = sys.open(path, c.O_RDONLY);
  const buffer = Buffer.alloc(100);
  const length = sys.read(fd, buffer);
  const { size } = sys.fstat(fd);
  sys.close(fd);
  return `${buffer.toString('utf8', 0, length)} ${size}`;
}

test(
  'the same answers without the files, and errors',
  onUserthread(() => {
    fs.writeFileSync(at('a'), 'hello');
    const program = (): unknown => [
      readFile(at('a')),
      errorOf(() => sys.open(at('none'))),
      errorOf(() => sys.read(0, 'no buffer' as unknown as Buffer)),
      sys.clock_gettime(c.CLOCK_REALTIME),
      sys.poll([{ fd: 0, events: 0 }], 0),
      sys.getcwd(),
    ];
    const { file, result } = recorded(program);
    fs.rmSync(at('a'));
    expect(replayed(file, program)).toEqual(result);
    expect(readHeader(file)).toMatchObject({ recording: 'libcr', version: 1, argv: process.argv });
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  }),
);

test(
  'the network may be gone',
  onUserthread(() => {
    const listener = listen({ port: 0, host: '127.0.0.1' });
    const { port } = listener.address() as { port: number };
    create(
      () =>
        listener.serve((conn) => {
          for (const chunk of conn) conn.write(`you said ${chunk}`);
        }),
      { daemon: true },
    );
    const client = (): unknown => {
      const conn = dial({ host: '127.0.0.1', port });
      conn.write('hello');
      conn.closeWrite();
      const text = Buffer.concat([...conn]).toString();
      conn.close();
      return text;
    };
    const { file, result } = recorded(client);
    listener.close();
    expect(result).toBe('you said hello');
    expect(codeOf(client)).toMatch(/^ECONN(REFUSED|RESET)$/);
    expect(replayed(file, client)).toBe(result);
  }),
);

test(
  'several userthreads answer in the order in which they were answered',
  onUserthread(() => {
    const program =
      (factor: number): (() => unknown) =>
      () => {
        const order: number[] = [];
        const threads = [3, 1, 2].map((n) =>
          create(() => {
            sleep(n * factor);
            sys.nanosleep({ sec: 0, nsec: n * 20_000_000 });
            order.push(n);
            sys.getpid();
          }),
        );
        for (const td of threads) td.join();
        return order;
      };
    const { file, result } = recorded(program(1));
    expect(result).toEqual([1, 2, 3]);
    expect(replayed(file, program(0))).toEqual(result);
  }),
);

test(
  'an abort',
  onUserthread(() => {
    const program = (): unknown => {
      const td = create(() => codeOf(() => sys.nanosleep({ sec: 1000, nsec: 0 })));
      sys.getpid();
      sys.nanosleep({ sec: 0, nsec: 1000 });
      td.abort();
      return td.join();
    };
    const { file, result } = recorded(program);
    expect(result).toBe('ABORT_ERR');
    expect(replayed(file, program)).toBe(result);
  }),
);

test(
  'the first call that differs',
  onUserthread(() => {
    fs.writeFileSync(at('b'), '');
    const program =
      (path: string, data: string, more = 0) =>
      (): void => {
        const fd = sys.open(path, c.O_WRONLY);
        sys.write(fd, Buffer.from(data));
        for (let i = 0; i < more; i++) sys.getpid();
      };
    const { file } = recorded(program(at('b'), 'hello', 1));
    const differs = (fn: () => void): Record<string, unknown> => errorOf(() => replayed(file, fn));
    const code = 'ERR_LIBCR_REPLAY_DIVERGED';
    expect(differs(program(at('b'), 'hello', 1))).toEqual({ returned: undefined });
    expect(differs(program('/x', 'hello', 1))).toMatchObject({
      code,
      position: 1,
      thread: 'program',
      made: 'open("/x", O_WRONLY)',
      recorded: expect.stringContaining(`open("${at('b')}", O_WRONLY) = `),
    });
    expect(differs(program(at('b'), 'hallo', 1))).toMatchObject({
      code,
      position: 2,
      message: expect.stringMatching(/argument "data"\n.*"hello", 5\) = 5\n.*"hallo", 5\)$/),
    });
    expect(differs(program(at('b'), 'hello', 2))).toMatchObject({
      code,
      position: undefined,
      made: 'getpid()',
    });
    expect(differs(program(at('b'), 'hello', 0))).toMatchObject({ code, position: 3, made: undefined });
  }),
);

test(
  'files that are none, of another version, or cut off',
  onUserthread(() => {
    const program = (): number => sys.getpid() + sys.getppid();
    const { file, result } = recorded(program);
    const text = fs.readFileSync(file, 'utf8');
    const given = (content: string): string => {
      fs.writeFileSync(at('given'), content);
      return at('given');
    };
    const cut = text.slice(0, text.lastIndexOf('{"end"'));
    for (const content of [
      '',
      'x\n',
      '{}\n',
      text.replace('"version":1', '"version":99'),
      cut,
      `${text}{}\n`,
    ])
      expect(codeOf(() => replay({ file: given(content) }))).toBe('ERR_LIBCR_RECORDING');
    expect(codeOf(() => replay({ file: at('no such') }))).toBe('ENOENT');
    expect(replayed(given(cut), program, { partial: true })).toBe(result);
    const more = (): number => program() + sys.getuid();
    expect(errorOf(() => replayed(given(cut), more, { partial: true }))).toMatchObject({
      code: 'ERR_LIBCR_RECORDING',
      message: expect.stringContaining('after call 2'),
    });
  }),
);

test(
  'messages with control data, addresses, several buffers',
  onUserthread(() => {
    const program = (): unknown => {
      const [a, b] = sys.socketpair(c.AF_UNIX, c.SOCK_DGRAM);
      sys.sendmsg(a, { buffers: [Buffer.from('one '), Buffer.from('two')] });
      const parts = [Buffer.alloc(3), Buffer.alloc(10)];
      const { length, flags, address } = sys.recvmsg(b, { buffers: parts });
      const seen = [length, flags, address, ...parts.map((part) => part.toString('latin1'))];
      const udp = sys.socket(c.AF_INET, c.SOCK_DGRAM);
      sys.bind(udp, { family: 'inet', address: '127.0.0.1', port: 0 });
      const own = sys.getsockname(udp);
      sys.sendto(udp, Buffer.from('to myself'), 0, own);
      const buffer = Buffer.alloc(20);
      const from = sys.recvfrom(udp, buffer);
      for (const fd of [a, b, udp]) sys.close(fd);
      return [...seen, own, from, buffer.toString('latin1')];
    };
    const { file, result } = recorded(program);
    expect(result).toContain(' two\0\0\0\0\0\0');
    expect(replayed(file, program)).toEqual(result);
  }),
);

test(
  'sys.promises',
  onUserthread(() => {
    fs.writeFileSync(at('promised'), 'promised');
    const program = (): unknown => {
      const buffer = Buffer.alloc(20);
      const fd = wait(sys.promises.open(at('promised')));
      const length = wait(sys.promises.read(fd, buffer));
      const missing = wait(sys.promises.open(at('missing')).catch((error) => error.code));
      wait(sys.promises.close(fd));
      return [length, String(buffer), missing];
    };
    const { file, result } = recorded(program);
    fs.rmSync(at('promised'));
    expect(result).toEqual([8, `promised${'\0'.repeat(12)}`, 'ENOENT']);
    expect(replayed(file, program)).toEqual(result);
  }),
);

test(
  'a call that has not returned when the recording ends does not return',
  onUserthread(() => {
    const program = (): unknown => {
      const [r] = sys.pipe2();
      create(() => sys.read(r, Buffer.alloc(1)), { name: 'waits', daemon: true });
      sleep(1);
      return sys.getpid() > 0;
    };
    const { file } = recorded(program);
    expect(fs.readFileSync(file, 'utf8')).toMatch(/"call":"read",.*"waits":true/);
    expect(replayed(file, program)).toBe(true);
  }),
);

test(
  'packed by gzip',
  onUserthread(() => {
    const program = (): number => sys.getppid();
    const { file, result } = recorded(program);
    fs.writeFileSync(at('packed'), gzipSync(fs.readFileSync(file)));
    expect(replayed(at('packed'), program)).toBe(result);
    fs.writeFileSync(at('broken'), gzipSync(fs.readFileSync(file)).subarray(0, 50));
    expect(codeOf(() => replay({ file: at('broken') }))).toBe('ERR_LIBCR_RECORDING');
  }),
);

test('what the program writes is written again, or only compared', async () => {
  const file = at('output');
  const said = { stdout: 'to 1\n', stderr: 'to 2, in two parts\n', status: 0 };
  expect(await runProgram('replayed.mjs', 'record', file)).toMatchObject(said);
  expect(await runProgram('replayed.mjs', 'write', file)).toMatchObject(said);
  expect(await runProgram('replayed.mjs', 'check', file)).toMatchObject({
    stdout: '',
    stderr: '',
    status: 0,
  });
});

test('options that cannot be understood are refused', () => {
  for (const options of [undefined, {}, { file: 5 }, { file: at('x'), clock: 1 }])
    expect(codeOf(() => record(options as never))).toBe('ERR_INVALID_ARG_TYPE');
  for (const options of [undefined, {}, { file: at('x'), output: 'none' }, { file: at('x'), partial: 1 }])
    expect(codeOf(() => replay(options as never))).toBe('ERR_INVALID_ARG_TYPE');
});
