/**
 * made-by-program.ts: a program in C that makes the system calls of a test (programs/supervised/told.c), under shims, so that what is expected of shims in this process can be expected of
 * shims before programs: `sys.…` in inside() is a call that the program makes.
 *
 * A shim sees the calls that it was told to make, and no others: neither those by which they come to it nor those of its start.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { create, type UserThread, wait } from '@libcr/core';
import { defineShim, type Shim, type SyscallPort, type SysMsg, sys } from '../../../syscalls/src/index.ts';
import { Supervisor, type SupervisorOptions } from '../../../syscalls/src/supervisor/index.ts';
import type { Caller, Way } from '../../../syscalls/test/expectations/caller.ts';
import { launcherPath } from '../../src/launcher.ts';
import { compile } from '../programs.ts';

const FIRST = 3;
const CHANNELS = 4;
const [NUMBER, BYTES, BUFFERS, MESSAGE, MESSAGES] = [0n, 1n, 2n, 3n, 4n];
const NOTHING = 2n ** 64n - 1n;
/** Of each message the answer has four words. */
const WORDS = 4;
/** A shim that has it is something else before programs, and puts that there itself. */
const FOR_PROGRAMS = Symbol.for('libcr.forPrograms');
/** What a shim says in advance holds for all calls of a program: here it is asked, as only those count that the program was told to make (script-rows.test.ts has the others). */
const IN_ADVANCE = [Symbol.for('libcr.rowsOf'), Symbol.for('libcr.traceOf')];

const isView = (value: unknown): value is ArrayBufferView => ArrayBuffer.isView(value);
const bytesOf = (view: ArrayBufferView): Buffer => Buffer.from(view.buffer, view.byteOffset, view.byteLength);

/** A request under construction; and where in it are the bytes of which buffer. */
class Request {
  readonly places: { to: Buffer; at: number }[] = [];
  /** Of the messages, in order; null: nobody wants to know. */
  readonly headers: (Buffer | null)[] = [];
  private readonly pieces: Buffer[] = [];
  private size = 0;

  word(value: bigint): this {
    const piece = Buffer.alloc(8);
    piece.writeBigUInt64LE(BigInt.asUintN(64, value));
    return this.add(piece);
  }

  private add(piece: Buffer): this {
    this.pieces.push(piece);
    this.size += piece.length;
    return this;
  }

  bytes(value: string | ArrayBufferView | null): this {
    if (value === null) return this.word(NOTHING);
    const source = typeof value === 'string' ? Buffer.from(value) : bytesOf(value);
    this.word(BigInt(source.length));
    if (typeof value !== 'string') this.places.push({ to: source, at: this.size });
    const padded = Buffer.alloc((Math.floor(source.length / 8) + 1) * 8);
    source.copy(padded);
    return this.add(padded);
  }

  buffers(list: readonly ArrayBufferView[]): this {
    this.word(BigInt(list.length));
    for (const view of list) this.bytes(view);
    return this;
  }

  argument(value: unknown): this {
    if (typeof value === 'string' || isView(value)) return this.word(BYTES).bytes(value);
    if (!Array.isArray(value)) return this.word(NUMBER).word(BigInt((value ?? 0) as number));
    if (value.every(isView)) return this.word(BUFFERS).buffers(value);
    const isOne = value.length === 4 && Array.isArray(value[1]) && value[1].every(isView);
    if (isOne) return this.word(MESSAGE).message(value);
    this.word(MESSAGES).word(BigInt(value.length));
    for (const each of value) this.message(each);
    return this;
  }

  private message([name, parts, control, header]: unknown[]): this {
    this.headers.push(isView(header) ? bytesOf(header) : null);
    return this.bytes(name as Buffer | null)
      .bytes(control as Buffer | null)
      .buffers(parts as Buffer[]);
  }

  whole(): Buffer {
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(this.size));
    return Buffer.concat([size, ...this.pieces]);
  }

  get length(): number {
    return this.size;
  }
}

/** Where the program is told a call, and answers: one call at a time. */
class Channel {
  private readonly stream: Duplex;
  private pieces: Buffer = Buffer.alloc(0);
  private awaited:
    | { length: number; done: (answer: Buffer) => void; failed: (error: Error) => void }
    | undefined;
  busy = false;
  private over = false;
  /** It has begun to serve. */
  readonly ready: Promise<void>;

  constructor(stream: Duplex) {
    this.stream = stream;
    let ready: (() => void) | undefined;
    this.ready = new Promise((resolve) => {
      ready = resolve;
    });
    stream.on('data', (said: Buffer) => {
      let piece = said;
      if (ready !== undefined) {
        piece = said.subarray(1);
        ready();
        ready = undefined;
      }
      this.pieces = Buffer.concat([this.pieces, piece]);
      if (this.awaited === undefined || this.pieces.length < this.awaited.length) return;
      const { done } = this.awaited;
      const answer = this.pieces;
      this.pieces = Buffer.alloc(0);
      this.awaited = undefined;
      done(answer);
    });
    stream.on('close', () => {
      this.over = true;
      this.awaited?.failed(new Error('the program has ended'));
    });
    stream.on('error', () => {});
  }

  /** The call's answer, and its buffers as they are then. */
  async make(msg: SysMsg): Promise<number> {
    if (this.over) throw new Error('the program has ended');
    const request = new Request();
    request.word(BigInt(msg.number));
    for (let i = 0; i < 6; i++) request.argument(msg.args[i]);
    const head = 8 + request.headers.length * WORDS * 8;
    const answered = new Promise<Buffer>((done, failed) => {
      this.awaited = { length: head + request.length, done, failed };
    });
    this.stream.write(request.whole());
    const answer = await answered;
    for (const { to, at } of request.places) answer.copy(to, 0, head + at, head + at + to.length);
    request.headers.forEach((header, n) => {
      for (let word = 0; header !== null && word < WORDS; word++)
        header.writeUInt32LE(Number(answer.readBigUInt64LE(8 + (n * WORDS + word) * 8)), word * 4);
    });
    return Number(answer.readBigInt64LE(0));
  }

  end(): void {
    this.stream.end();
  }
}

export class ToldProgram {
  readonly supervisor: Supervisor;
  private readonly child: ChildProcess;
  private readonly channels: Channel[];
  private readonly port: SyscallPort;
  private readonly over: Promise<unknown>;
  private told = 0;

  constructor(shims: readonly Shim[], options: Omit<SupervisorOptions, 'shims'> = {}) {
    this.supervisor = new Supervisor({ ...options, shims: shims.map((shim) => this.guarded(shim)) });
    const program = compile('supervised/told', ['-static']);
    const fds = [FIRST + CHANNELS, FIRST + CHANNELS + 1];
    this.child = spawn(launcherPath(), ['--rforks=2', `--script=${fds}`, '--', program, `${CHANNELS}`], {
      stdio: [
        ...(['ignore', 'inherit', 'inherit'] as const),
        ...Array<'pipe'>(CHANNELS).fill('pipe'),
        ...this.supervisor.descriptors,
      ],
    });
    this.over = once(this.child, 'exit');
    this.channels = Array.from(
      { length: CHANNELS },
      (_, i) => new Channel(this.child.stdio[FIRST + i] as Duplex),
    );
    this.port = sys.with(
      defineShim({ name: 'made by a program', on: 'all', shim: () => (msg) => this.make(msg) }),
    );
  }

  get pid(): number {
    return this.child.pid as number;
  }

  private make(msg: SysMsg): number {
    const channel = this.channels.find(({ busy }) => !busy);
    if (channel === undefined) throw new Error('too many calls at once');
    channel.busy = true;
    wait(Promise.all(this.channels.map(({ ready }) => ready)));
    this.told++;
    try {
      return wait(channel.make(msg));
    } finally {
      this.told--;
      channel.busy = false;
    }
  }

  /** More of them, for as long as they are wanted. */
  shim(...shims: Shim[]): Disposable {
    return this.supervisor.shim(...shims.map((shim) => this.guarded(shim)));
  }

  /** The shim, for the calls that the program was told to make. */
  private guarded(shim: Shim): Shim {
    if (FOR_PROGRAMS in shim) return shim;
    const isOwn = ({ name, fd = -1 }: SysMsg): boolean =>
      (name === 'read' || name === 'write') && fd >= FIRST && fd < FIRST + CHANNELS;
    const guarded: Shim = {
      ...shim,
      name: shim.name,
      on: shim.on,
      shim: (next) => {
        const seen = shim.shim(next);
        return (msg) => (this.told === 0 || isOwn(msg) ? next(msg) : seen(msg));
      },
    };
    for (const way of IN_ADVANCE) delete (guarded as unknown as Record<symbol, unknown>)[way];
    return guarded;
  }

  /** A userthread whose calls the program makes. */
  create<R>(fn: () => R): UserThread<R> {
    return create(fn, { syscallPort: this.port }) as UserThread<R>;
  }

  inside<R>(fn: () => R): R {
    return this.create(fn).join() as R;
  }

  async end(): Promise<void> {
    for (const channel of this.channels) channel.end();
    await this.over;
    await this.supervisor.end();
  }
}

/** The program that is told its calls makes them. */
export const byProgram: Way = {
  isProgram: true,
  begin(shims): Caller {
    const program = new ToldProgram(shims);
    return {
      pid: program.pid,
      create: (fn) => program.create(fn),
      inside: (fn) => program.inside(fn),
      shim: (...more) => program.shim(...more),
      interrupt: () => void process.kill(program.pid, 'SIGKILL'),
      end: () => wait(program.end()),
    };
  },
};
