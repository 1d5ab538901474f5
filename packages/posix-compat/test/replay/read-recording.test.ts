/**
 * read-recording.test.ts: @libcr/syscalls/recording: what was recorded, event by event; files that are cut off, damaged, packed, or none.
 */
import {
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as zlib from 'node:zlib';
import {
  type RecordedCall,
  type RecordedEvent,
  type Recording,
  readRecording,
} from '@libcr/syscalls/recording';
import { beforeAll, expect, test } from 'vitest';
import { compile, scratch, underLibcr } from '../programs.ts';

const HEAD = 256 * 1024;
const PAGE = 4096;
const seed = Number(process.env.LIBCR_SEED ?? Date.now() % 1_000_000);
const folder = mkdtempSync(join(scratch, 'read-recording-'));
const at = (name: string) => join(folder, name);
const shell = at('shell');
const SCRIPT = 'echo one; /bin/ls /none; (exit 3); kill -TERM $$';

beforeAll(async () => {
  const ran = await underLibcr('/bin/sh', ['-c', SCRIPT, 'name'], {
    options: [`--record=${shell}`],
    env: { LC_ALL: 'C' },
  });
  expect(ran).toMatchObject({ signal: 'SIGTERM', stdout: 'one\n' });
});

function random(of: number): (below: number) => number {
  let state = of >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function using<T>(path: string, fn: (recording: Recording) => T): Promise<T> {
  const recording = await readRecording(path);
  try {
    return fn(recording);
  } finally {
    recording.close();
  }
}

const calls = (events: Iterable<RecordedEvent>, name: string): RecordedCall[] =>
  [...events].filter((event): event is RecordedCall => event.kind === 'call' && event.name === name);

/** By stream: each event as text, but for memory, which may be in a part of the file that is not there. */
function listed(recording: Recording): Map<number, string[]> {
  const text = (_: string, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value instanceof Buffer ? value.toString('hex') : value;
  return new Map(
    [...recording.programs()].map((program) => [
      program.stream,
      [...program].map((event) => {
        for (const memory of [
          ...('read' in event ? event.read : []),
          ...('written' in event ? event.written : []),
        ])
          expect(memory.bytes?.length ?? memory.length).toBe(memory.length);
        return JSON.stringify(event, text);
      }),
    ]),
  );
}

test('who called what, with what answer: a shell and its children', async () => {
  await using(shell, (recording) => {
    expect(recording.beginning).toMatchObject({
      argv: ['/bin/sh', '-c', SCRIPT, 'name'],
      cwd: process.cwd(),
    });
    expect(recording.beginning?.env).toContain('LC_ALL=C');
    expect(Math.abs(Date.now() - Number(recording.beginning?.time))).toBeLessThan(3_600_000);
    const [sh, forked, ls, subshell, ...rest] = [...recording.programs()];
    expect(rest).toEqual([]);

    const [made] = calls(sh as Iterable<RecordedEvent>, 'write');
    expect(made).toMatchObject({
      number: 1,
      pid: sh?.pid,
      tid: sh?.pid,
      result: 4n,
      args: [1n, made?.read[0]?.address, 4n],
    });
    expect(made?.read[0]?.bytes?.toString()).toBe('one\n');
    const events = [...(sh ?? [])];
    expect(events.at(-1)).toMatchObject({ kind: 'signal', name: 'SIGTERM', raised: false });
    expect((events.at(-1) as { info: Buffer }).info.readInt32LE(0)).toBe(15);
    const forks = events.filter(
      (event) => event.kind === 'call' && event.made !== undefined,
    ) as RecordedCall[];
    expect(forks.map(({ result, made }) => [Number(result), made])).toEqual([
      [forked?.pid, forked?.stream],
      [subshell?.pid, subshell?.stream],
    ]);
    const waited = calls(events, 'wait4').filter(({ result }) => result > 0n);
    const statuses = waited.map(({ written }) => written[0]?.bytes?.readInt32LE(0));
    expect(statuses).toEqual([2 << 8, 3 << 8]);

    const exec = [...(forked ?? [])].at(-1);
    expect(exec).toMatchObject({ kind: 'exec', name: 'execve', becomes: ls?.stream, pid: ls?.pid });
    expect(exec?.kind === 'exec' && exec.read[0]?.text).toBe('/bin/ls');
    expect(forked?.beginning).toMatchObject({ parentPid: sh?.pid, argv: [] });
    expect(ls?.beginning).toMatchObject({ argv: ['/bin/ls', '/none'], pid: forked?.pid });
    const none = [...(ls ?? [])].find(
      (event) => event.kind === 'call' && event.read.some(({ text }) => text === '/none'),
    );
    expect(none).toMatchObject({ result: -2n, error: 'ENOENT' });
    expect([...(ls ?? [])].at(-1)).toMatchObject({ kind: 'end', status: 2 });
    expect([...(subshell ?? [])].at(-1)).toMatchObject({ kind: 'end', status: 3 });
    expect([...recording]).toHaveLength([...recording.programs()].flatMap((program) => [...program]).length);
  });
});

test('mapped files, by their contents; and after close() nothing', async () => {
  const recording = await readRecording(pathToFileURL(shell));
  const events = [...recording];
  const isLibrary = (event: RecordedEvent) =>
    event.kind === 'call' && !event.error && event.read[0]?.text?.endsWith('/libc.so.6');
  const from = events.findIndex((event) => isLibrary(event));
  const opened = events[from] as RecordedCall;
  const [mapped] = calls(events.slice(from), 'mmap').filter(({ args }) => args[4] === opened.result);
  const { bytes } = mapped?.written[0] ?? {};
  expect(bytes?.equals(readFileSync(opened.read[0]?.text ?? '').subarray(0, bytes.length))).toBe(true);
  recording.close();
  recording[Symbol.dispose]();
  expect(() => [...recording]).toThrow(expect.objectContaining({ code: 'ERR_LIBCR_RECORDING' }));
});

test('threads, signals that an instruction raises', async () => {
  const file = at('threads');
  await underLibcr(compile('recorded/threads'), [], { options: [`--record=${file}`] });
  await using(file, (recording) => {
    const begun = [...recording].filter(({ kind }) => kind === 'begin').map(({ tid }) => tid);
    expect(begun.length).toBeGreaterThan(2);
    expect(new Set(begun).size).toBe(begun.length);
    const threads = calls(recording, 'clone3').concat(calls(recording, 'clone'));
    expect(threads.map(({ result }) => Number(result)).sort()).toEqual(begun.slice(1).sort());
  });
  const faults = at('faults');
  await underLibcr(compile('recorded/faults'), [], { options: [`--record=${faults}`] });
  await using(faults, (recording) => {
    expect([...recording].at(-1)).toMatchObject({ kind: 'signal', name: 'SIGSEGV', raised: true });
  });
});

test('a recording that is larger than its window: each event once', async () => {
  const file = at('large');
  const script = 'i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo $i; done; kill -KILL $$';
  await underLibcr('/bin/sh', ['-c', script], { options: [`--record=${file}`] });
  await using(file, (recording) => {
    const written = calls(recording, 'write').map(({ read }) => read[0]?.bytes?.toString());
    expect(written).toEqual(Array.from({ length: 3000 }, (_, i) => `${i + 1}\n`));
  });
});

test(`cut off anywhere: what there was before (LIBCR_SEED=${seed})`, async () => {
  const all = await using(shell, listed);
  const { size } = statSync(shell);
  const file = at('cut');
  copyFileSync(shell, file);
  const below = random(seed);
  const cuts = Array.from({ length: 60 }, () => below(size)).sort((a, b) => b - a);
  for (const cut of cuts) {
    truncateSync(file, cut);
    let found: Map<number, string[]>;
    try {
      found = await using(file, listed);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_LIBCR_RECORDING' });
      expect(cut).toBeLessThan(HEAD + PAGE);
      continue;
    }
    for (const [stream, events] of found) expect(events).toEqual(all.get(stream)?.slice(0, events.length));
  }
});

test(`bytes that have changed: a coded error, or a list (LIBCR_SEED=${seed})`, async () => {
  const file = at('flipped');
  copyFileSync(shell, file);
  const fd = openSync(file, 'r+');
  const below = random(seed + 1);
  const streams = await using(shell, (recording) =>
    [...recording.programs()].map(({ stream }) => stream * PAGE),
  );
  const places = [
    () => below(64),
    () => HEAD + below(40),
    () => (streams[below(streams.length)] as number) + below(200),
  ];
  places.push(() => (streams[below(streams.length)] as number) + below(16384));
  let refused = 0;
  for (let round = 0; round < 200; round++) {
    const changed = Array.from({ length: 1 + below(4) }, () =>
      (places[below(places.length)] as () => number)(),
    );
    const before = changed.map((place) => {
      const byte = Buffer.alloc(1);
      readSync(fd, byte, 0, 1, place);
      return byte;
    });
    for (const place of changed) writeSync(fd, Buffer.of(below(256)), 0, 1, place);
    try {
      await using(file, (recording) => listed(recording));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_LIBCR_RECORDING' });
      refused++;
    }
    for (const [i, byte] of before.entries()) writeSync(fd, byte, 0, 1, changed[i]);
  }
  expect(refused).toBeGreaterThan(0);
  expect(await using(file, listed)).toEqual(await using(shell, listed));
});

test('packed, also what is cut off then', async () => {
  const all = await using(shell, listed);
  const packed = zlib.gzipSync(readFileSync(shell));
  writeFileSync(at('gz'), packed);
  expect(await using(at('gz'), listed)).toEqual(all);
  writeFileSync(at('cut.gz'), packed.subarray(0, packed.length / 2));
  const cut = await using(at('cut.gz'), listed);
  for (const [stream, events] of cut) expect(events).toEqual(all.get(stream)?.slice(0, events.length));
  packed.subarray(-8).fill(0); // its checksum
  writeFileSync(at('bad.gz'), packed);
  await expect(readRecording(at('bad.gz'))).rejects.toMatchObject({ code: 'ERR_LIBCR_RECORDING' });
  const { zstdCompressSync } = zlib as { zstdCompressSync?: (bytes: Buffer) => Buffer };
  writeFileSync(at('zst'), zstdCompressSync?.(readFileSync(shell)) ?? Buffer.of(0x28, 0xb5, 0x2f, 0xfd));
  if (zstdCompressSync) expect(await using(at('zst'), listed)).toEqual(all);
  else await expect(readRecording(at('zst'))).rejects.toMatchObject({ code: 'ERR_LIBCR_RECORDING' });
});

test('what is none', async () => {
  const fails = (path: string, message: string) =>
    expect(readRecording(path)).rejects.toMatchObject({
      code: 'ERR_LIBCR_RECORDING',
      message: `${path} ${message}`,
    });
  await fails('/bin/sh', 'is no recording of a program');
  await fails('/dev/null', 'is no recording of a program');
  copyFileSync(shell, at('old'));
  writeSync(openSync(at('old'), 'r+'), Buffer.of(1), 0, 1, 8);
  await fails(at('old'), 'is a recording of version 1, and this libcr reads version 4');
  truncateSync(at('old'), 100);
  await fails(at('old'), 'is a recording of version 1, and this libcr reads version 4');
  writeFileSync(at('begun'), readFileSync(shell).subarray(0, 1000));
  await fails(at('begun'), 'is cut off before anything was recorded');
  await expect(readRecording(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(readRecording(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(readRecording(1 as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
});
