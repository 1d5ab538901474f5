/**
 * player.ts: answers system calls from a recording: each userthread's in its own order, and all of them in the order in which they were
 * answered then. A userthread that asks too early waits until it is its turn.
 *
 * thread0 cannot wait: its calls are answered at once, out of turn.
 *
 * Invariant: nothing goes to the level below. Once a difference has been found, every call throws it.
 */
import { curthread, type UserThread, yieldNow } from '@libcr/core';
import { blockUntil, CodedError, isAbortOf, thread0, wake } from '@libcr/core/internal';
import { rowOf } from '../../port/calls.ts';
import { passThrough } from '../../port/syscall-port.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { type EncodedCall, encodeCall } from '../recording/argument.ts';
import { decodeBytes } from '../recording/bytes.ts';
import type { CallLine, ClockName, Thrown } from '../recording/lines.ts';
import type { Recording } from '../recording/read.ts';
import { divergence } from './divergence.ts';
import { type Event, keyOf, type Track, Tracks } from './tracks.ts';

const CLASSES: Record<string, new (message: string) => Error> = { TypeError, RangeError };

/** What was thrown, once more. */
function rebuilt({ name, code, message, bytesTransferred }: Thrown): Error {
  const Class = CLASSES[name];
  const error =
    Class === undefined && code !== undefined ? new CodedError(code, message) : new (Class ?? Error)(message);
  if (Class === undefined && name !== 'Error') error.name = name;
  return Object.assign(
    error,
    code !== undefined && { code },
    bytesTransferred !== undefined && { bytesTransferred },
  );
}

/** What the kernel wrote then, into this call's memory. */
function fill({ pieces }: EncodedCall, { out = [] }: CallLine): void {
  for (const [i, piece] of pieces.entries()) decodeBytes(out[i])?.copy(piece.memory);
}

export class Player {
  private readonly tracks: Tracks;
  private readonly whole: boolean;
  /** Whose turn it is. */
  private next = 0;
  /** Answered before their turn. */
  private readonly early = new Set<number>();
  private readonly waiting = new Map<number, UserThread>();
  /** Those that wait for no turn: for an abort, for the end, or for ever. */
  private readonly others = new Set<UserThread>();
  private readonly onFailure: (error: Error) => void;
  /** All that returned; undefined once answered. */
  private readonly lines: (CallLine | undefined)[];
  private readonly names: string[];
  failure: Error | undefined;

  constructor(recording: Recording, onFailure: (error: Error) => void) {
    this.tracks = new Tracks(recording);
    this.whole = recording.whole;
    this.onFailure = onFailure;
    this.names = recording.threads.map(({ name }) => name);
    this.lines = recording.events.filter((line): line is CallLine => !('clock' in line) && !line.waits);
  }

  /** The recorded answer. Throws what was thrown, and ERR_LIBCR_REPLAY_DIVERGED. */
  call(msg: SysMsg): number {
    const { td } = msg;
    this.throwIfFailed();
    const row = rowOf(msg.number);
    const encoded = encodeCall(row, msg.args);
    const call = row?.name ?? msg.number;
    const found = this.eventOf(msg, call, encoded);
    if (found === undefined) return this.never(td);
    const { track, event } = found;
    const { line, position } = event;
    const place = { position: position < 0 ? undefined : position + 1, thread: td.name };
    if (keyOf(line.call, line.args) !== keyOf(call, encoded.args))
      throw this.fail(divergence(place, line, msg, encoded.args));
    if (position < 0) return this.never(td);
    track.take();
    if (line.throws?.abort) this.waitForAbort(td, position, line.throws);
    else this.waitForTurn(td, event, () => divergence(place, line, msg));
    fill(encoded, line);
    this.advance(position);
    if (line.throws !== undefined) throw passThrough(rebuilt(line.throws));
    return line.reply as number;
  }

  /** The recorded reading. */
  reading(clock: ClockName, read: () => number | string): number | string {
    if (this.failure !== undefined) return read();
    const td = curthread();
    const value = this.tracks.of(td, () => keyOf(clock, []))?.reading(clock);
    if (value !== undefined) return value;
    // The loaders of Node and of TypeScript run there, and do not always do the same.
    if (td === thread0) return read();
    const remark = `the program does not do what was recorded: userthread "${td.name}" reads ${clock}() once more`;
    throw this.fail(new CodedError('ERR_LIBCR_REPLAY_DIVERGED', remark));
  }

  /** Throws where a difference was found, or calls are left. */
  finish(): void {
    this.throwIfFailed();
    if (this.whole && this.next < this.lines.length) throw this.fail(this.missing());
  }

  /** The event loop has run dry: whoever waits for a turn waits for a call that nobody makes. */
  ranDry(): void {
    const stuck = this.waiting.size > 0 || (!this.whole && this.others.size > 0);
    if (stuck && this.failure === undefined) this.fail(this.missing());
  }

  private throwIfFailed(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** Its thread's next event; undefined where that waits for the end, as the recording is cut off. */
  private eventOf(
    msg: SysMsg,
    call: string | number,
    encoded: EncodedCall,
  ): { track: Track; event: Event } | undefined {
    const { name } = msg.td;
    let track = this.tracks.of(msg.td, () => keyOf(call, encoded.args));
    if (this.whole) track ??= this.tracks.candidate(name);
    const event = track?.event;
    if (track !== undefined && event !== undefined) return { track, event };
    if (!this.whole) return undefined;
    throw this.fail(divergence({ position: undefined, thread: name }, undefined, msg));
  }

  private waitForTurn(td: UserThread, { line, position }: Event, aborted: () => Error): void {
    if (td === thread0 || (this.next === position && !line.blocked)) return;
    this.waiting.set(position, td);
    try {
      if (line.blocked) yieldNow(); // others ran then, too
      blockUntil(
        `its turn in the replay: call ${position + 1}`,
        () => this.next === position || this.failure !== undefined,
      );
    } catch (error) {
      if (!isAbortOf(td, error)) throw error;
      throw this.fail(Object.assign(aborted(), { cause: error }));
    } finally {
      this.waiting.delete(position);
    }
    this.throwIfFailed();
  }

  /** The thread will be aborted, as it was then. */
  private waitForAbort(td: UserThread, position: number, { bytesTransferred }: Thrown): void {
    try {
      this.never(td);
    } catch (error) {
      if (isAbortOf(td, error)) {
        if (bytesTransferred !== undefined) Object.assign(error as Error, { bytesTransferred });
        this.advance(position);
      }
      throw error;
    }
  }

  /** Waits for an abort, or a difference: the call did not return then, either. */
  private never(td: UserThread): number {
    this.others.add(td);
    try {
      this.throwIfCutOff();
      blockUntil('the replay of a call that did not return', () => this.failure !== undefined);
    } finally {
      this.others.delete(td);
    }
    throw this.failure;
  }

  private advance(position: number): void {
    this.early.add(position);
    this.lines[position] = undefined;
    while (this.early.delete(this.next)) this.next++;
    const td = this.waiting.get(this.next);
    if (td !== undefined) wake(td);
    if (this.others.size > 0 && !this.whole && this.next === this.lines.length) this.fail(this.cutOff());
  }

  private throwIfCutOff(): void {
    if (!this.whole && this.next === this.lines.length) throw this.fail(this.cutOff());
  }

  private cutOff(): Error {
    return new CodedError(
      'ERR_LIBCR_RECORDING',
      `the recording is cut off after call ${this.lines.length}, and the program goes on`,
    );
  }

  private missing(): Error {
    const line = this.lines[this.next] as CallLine;
    const thread = this.names[line.t] as string;
    return divergence({ position: this.next + 1, thread }, line);
  }

  /** The end of the replay. What is answered is to be thrown. */
  private fail(error: Error): Error {
    this.failure = passThrough(error);
    this.onFailure(error);
    for (const td of [...this.waiting.values(), ...this.others]) wake(td);
    return error;
  }
}
