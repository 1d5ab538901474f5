/**
 * record.ts: a record of a program's recording as an event.
 *
 * Not here: where it lies (stream.ts). The layout is native/program/record/record.h's.
 */
import { describeErrno } from '../failure.ts';
import { rowOf } from '../port/calls.ts';
import { signalName } from '../shims/format/signals.ts';
import type { RecordedBeginning, RecordedEvent, RecordedMemory } from './events.ts';
import type { RecordingFile } from './file.ts';

export const Kind = {
  end: 1,
  begin: 2,
  call: 3,
  exec: 4,
  signal: 5,
  resumes: 6,
  write: 7,
  counter: 8,
  header: 9,
  stack: 10,
  image: 11,
  note: 12,
} as const;

const HEAD = 32;
const HEADER_SIZE = 80;
const PIECE_HEAD = 16;
const PIECE_IN = 1;
const PIECE_OUT = 2;
const PIECE_CONTENT = 4;
const PIECE_PLACE = 8;
const PIECE_SHOWN = 16;
const PIECE_KEPT = 32;
const PIECE_AGAIN = 64;

/** Those by which the kernel tells itself what becomes of a call that a signal has interrupted. */
const RESTARTS: Record<number, string> = {
  512: 'ERESTARTSYS',
  513: 'ERESTARTNOINTR',
  514: 'ERESTARTNOHAND',
  516: 'ERESTART_RESTARTBLOCK',
};

export const kindOf = (record: Buffer): number => record[4] as number;
const tidOf = (record: Buffer): number => record.readInt32LE(8);
const streamOf = (record: Buffer): number => record.readUInt32LE(12);
const resultOf = (record: Buffer): bigint => record.readBigInt64LE(16);

function errorOf(result: bigint): string | undefined {
  if (result >= 0n || result <= -4096n) return undefined;
  const errno = Number(-result);
  return RESTARTS[errno] ?? describeErrno(errno)[0];
}

class Memory implements RecordedMemory {
  readonly address: bigint;
  readonly length: number;
  readonly #file: RecordingFile;
  readonly #place: number | undefined;
  readonly #here: Buffer | undefined;

  /** In the file at `place`, unless it is here; neither: the program has written it itself, and a replay will. */
  constructor(
    address: bigint,
    length: number,
    file: RecordingFile,
    place: number | undefined,
    here: Buffer | undefined,
  ) {
    this.address = address;
    this.length = length;
    this.#file = file;
    this.#place = place;
    this.#here = here;
  }

  get bytes(): Buffer | undefined {
    if (this.#here || this.#place === undefined) return this.#here;
    return this.#file.bytes(this.#place, this.length);
  }

  get text(): string | undefined {
    const { bytes } = this;
    return bytes && text(bytes, 0);
  }
}

/** Bytes that follow a piece's head. */
function sizeOf(what: number, length: number): number {
  if (what & (PIECE_CONTENT | PIECE_AGAIN)) return 8;
  return what & (PIECE_PLACE | PIECE_SHOWN | PIECE_KEPT) ? 0 : length;
}

/** What lies behind the record's arguments. What does not fit is not there. */
function memories(file: RecordingFile, record: Buffer): { read: Memory[]; written: Memory[] } {
  const read: Memory[] = [];
  const written: Memory[] = [];
  for (let at = HEAD + 8 * (record[5] as number); at + PIECE_HEAD <= record.length; ) {
    const address = record.readBigUInt64LE(at);
    const length = record.readUInt32LE(at + 8);
    const what = record.readUInt32LE(at + 12);
    const begin = at + PIECE_HEAD;
    const size = sizeOf(what, length);
    if (begin + size > record.length) break;
    const place = what & PIECE_CONTENT ? Number(record.readBigUInt64LE(begin)) : undefined;
    const isHere = (what & (PIECE_CONTENT | PIECE_AGAIN)) === 0;
    const memory = () =>
      new Memory(address, length, file, place, isHere ? record.subarray(begin, begin + size) : undefined);
    if (what & PIECE_IN) read.push(memory());
    else if (what & PIECE_OUT) written.push(memory());
    at = begin + Math.ceil(size / 8) * 8;
  }
  return { read, written };
}

function call(record: Buffer): { name: string; number: number; args: bigint[] } {
  const number = record.readUInt16LE(6);
  const nargs = Math.min(record[5] as number, (record.length - HEAD) >> 3);
  const args = Array.from({ length: nargs }, (_, i) => record.readBigUInt64LE(HEAD + 8 * i));
  return { name: rowOf(number)?.name ?? `call ${number}`, number, args };
}

/** Up to the next zero, from `at` on. */
function text(record: Buffer, at: number): string {
  const end = record.indexOf(0, at);
  return record.toString('utf8', at, end < 0 ? record.length : end);
}

/** undefined: what is there at the program's beginning, or of a kind that this libcr does not know. */
export function eventOf(file: RecordingFile, pid: number, record: Buffer): RecordedEvent | undefined {
  const event = { pid, tid: tidOf(record) };
  const stream = streamOf(record);
  switch (kindOf(record)) {
    case Kind.end:
      return { ...event, kind: 'end', status: Number(resultOf(record)) };
    case Kind.begin:
      return { ...event, kind: 'begin' };
    case Kind.call: {
      const result = resultOf(record);
      const error = errorOf(result);
      const data = { ...event, kind: 'call', ...call(record), result, ...memories(file, record) } as const;
      return {
        ...data,
        ...(error === undefined ? {} : { error }),
        ...(stream === 0 ? {} : { made: stream }),
      };
    }
    case Kind.exec: {
      const { read } = memories(file, record);
      return { ...event, kind: 'exec', ...call(record), read, ...(stream === 0 ? {} : { becomes: stream }) };
    }
    case Kind.signal: {
      const number = record.readUInt16LE(6);
      const raised = resultOf(record) !== 0n;
      return {
        ...event,
        kind: 'signal',
        name: signalName(number),
        number,
        raised,
        info: record.subarray(HEAD),
      };
    }
    case Kind.resumes:
      return { ...event, kind: 'resume' };
    case Kind.write:
      return { ...event, kind: 'write', written: memories(file, record).written };
    case Kind.counter:
      return { ...event, kind: 'counter', value: BigInt.asUintN(64, resultOf(record)) };
    case Kind.note:
      return { ...event, tid: pid, kind: 'note', text: text(record, HEAD) };
  }
  return undefined;
}

/** The program that begins there: its stream, and its process. undefined: the same one, by an execve, which was done if no event follows. */
export function beginsAt(record: Buffer): { stream: number; pid: number | undefined } | undefined {
  const stream = streamOf(record);
  if (stream === 0) return undefined;
  if (kindOf(record) === Kind.call) return { stream, pid: Number(resultOf(record)) };
  return kindOf(record) === Kind.exec ? { stream, pid: undefined } : undefined;
}

/** undefined: it is none, or damaged. */
export function beginningOf(record: Buffer): RecordedBeginning | undefined {
  if (record.length < HEAD + HEADER_SIZE) return undefined;
  const word = (at: number): number => record.readInt32LE(HEAD + at);
  const strings = record.toString('utf8', HEAD + HEADER_SIZE).split('\0');
  const [argc, envc] = [word(64), word(68)];
  if (argc < 0 || envc < 0 || argc + envc > strings.length) return undefined;
  const [cwd = '', program = '', kernel = ''] = strings.slice(argc + envc);
  return {
    pid: word(56),
    parentPid: word(60),
    time: new Date(Number(record.readBigInt64LE(HEAD + 48)) * 1000),
    argv: strings.slice(0, argc),
    env: strings.slice(argc, argc + envc),
    cwd,
    program,
    kernel,
  };
}
