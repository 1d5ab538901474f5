/**
 * complete.ts: the rest of a system call that could not be made at once: wait, try again, until there is a result. One description
 * for both styles: a userthread blocks where a promise is awaited.
 *
 * Not here: calls that complete in place, which never come this way.
 */
import { curthread } from '@libcr/core';
import {
  blockUntil,
  type CallWait,
  callOf,
  isInterrupted,
  setCall,
  thread0,
  wake,
  wouldBlock,
} from '@libcr/core/internal';
import { buffersAfter, viewAfter } from '../codec/bytes.ts';
import { advanceMessage, type PlainMessage } from '../codec/net/message.ts';
import { constants as c } from '../generated/constants.ts';
import type { Row } from '../generated/rows.ts';
import { native, status } from '../native.ts';
import {
  CONNECTING,
  OFFLOAD,
  POLL,
  READABLE,
  RECEIVE,
  RESULT_MIN,
  SLEEP,
  STATUS_DONE,
  STATUS_HELD,
  WRITABLE,
} from './answers.ts';
import { argumentError, bufferGone } from './argument-error.ts';
import { inTurn } from './budget.ts';
import { rowOf } from './calls.ts';
import { endsByAnyHandler, INTERRUPTED } from './eintr.ts';
import { Offload } from './waits/offload.ts';
import type { Pending } from './waits/pending.ts';
import { PollWait, waitFor } from './waits/poll-wait.ts';
import { onRing, Receive, RingCall } from './waits/ring.ts';
import { deadlineOf, withoutTimeout } from './waits/timeout.ts';
import { Timer } from './waits/timer.ts';

/** Answers below it are BAD_*. */
const BAD_ARGUMENT = -5999;

/** sendmsg's and its like: without the first bytes of the message, or the first of several messages. */
function advanceMessages(number: number, args: readonly unknown[], moved: number): unknown[] {
  const rest = [...args];
  if (number === c.SYS_sendmsg || number === c.SYS_recvmsg) {
    rest[1] = advanceMessage(args[1] as PlainMessage, moved);
  } else {
    rest[1] = (args[1] as PlainMessage[]).slice(moved);
    rest[2] = (args[2] as number) - moved;
  }
  return rest;
}

/** The call's arguments without the first bytes of its data, which have been moved. */
function advance(args: readonly unknown[], bytes: number): unknown[] {
  const rest = [...args];
  const data = args[1] as NodeJS.ArrayBufferView | NodeJS.ArrayBufferView[];
  if (!Array.isArray(data)) {
    rest[1] = viewAfter(data, bytes);
    rest[2] = (args[2] as number) - bytes;
    if (args[3] !== undefined && args[4] === undefined) rest[3] = BigInt(args[3] as number) + BigInt(bytes);
    return rest;
  }
  const views = buffersAfter(data.slice(0, args[2] as number), bytes);
  rest[1] = views;
  rest[2] = views.length;
  // preadv and its like; -1 stands for the position, which has moved by itself.
  if (args[3] !== undefined && Number(args[3]) !== -1) rest[3] = BigInt(args[3] as number) + BigInt(bytes);
  return rest;
}

/** What a call made elsewhere has answered, its data in place. */
function finished(job: RingCall | Offload, name: string): number {
  const { result } = job;
  if (!job.collect() || result < RESULT_MIN) throw bufferGone(name);
  return result;
}

/** What a receive answers where the call itself has to be made: no buffer was free, or the descriptor is no stream socket any more. */
const inPlaceAfter: ReadonlySet<number> = new Set([-c.ENOBUFS, -c.ENOTSOCK, -c.EAGAIN]);

/** How the steps end; what it yields has to be waited for. An AbortError thrown in takes what was moved along, as bytesTransferred; INTERRUPTED is answered. */
function* steps(number: number, first: unknown[], answer: number): Generator<Pending, number, void> {
  const name = rowOf(number)?.name ?? `syscall ${number}`;
  let args = first;
  let moved = 0;
  let r = answer;
  let deadline = -1;
  /** It has been woken once, and found nothing to do. */
  let woken = false;
  try {
    for (;;) {
      if (r >= RESULT_MIN) return moved === 0 ? r : r > 0 ? moved + r : moved;
      const bytes = status[STATUS_DONE] as number;
      const held = status[STATUS_HELD] as number;
      if ((r === READABLE || r === WRITABLE) && bytes > 0) {
        moved += bytes;
        const { block } = rowOf(number) as Row;
        args =
          block === 'sendmsg' || block === 'recvmsg'
            ? advanceMessages(number, args, bytes)
            : advance(args, bytes);
      }
      switch (r) {
        case READABLE:
        case WRITABLE:
        case CONNECTING: {
          const fd = args[0] as number;
          const readiness = waitFor(fd, r === READABLE ? c.POLLIN : c.POLLOUT, `${name}()`);
          yield readiness;
          const idle = bytes === 0 && r !== CONNECTING;
          if (
            readiness.result === -c.EPERM ||
            readiness.result === -c.EINVAL ||
            (onRing && idle && woken && !native.canWait(fd))
          ) {
            r = OFFLOAD; // always "ready" and yet not: a helper thread it is
            status[STATUS_DONE] = 0;
            status[STATUS_HELD] = -1;
            continue;
          }
          woken = idle;
          if (readiness.result < 0) return moved > 0 ? moved : readiness.result;
          break;
        }
        case RECEIVE: {
          const receive = new Receive(name, args[0] as number, args[1], args[2] as number);
          yield receive;
          if (receive.result === READABLE) {
            r = READABLE;
            status[STATUS_DONE] = 0;
            continue;
          }
          receive.take();
          if (receive.result < RESULT_MIN) throw bufferGone(name);
          if (!inPlaceAfter.has(receive.result)) return receive.result;
          break;
        }
        case OFFLOAD: {
          const details = { moved: bytes, held, number, args };
          let job: RingCall | Offload = new RingCall(name, details);
          yield job;
          if (job.refused) {
            job = new Offload(name, details);
            yield job;
          }
          const result = finished(job, name);
          const before = moved + bytes;
          return before === 0 ? result : result > 0 ? before + result : before;
        }
        case SLEEP: {
          const call = new RingCall(name, { moved: 0, number, args }, false);
          yield call;
          if (!call.refused && call.result !== -c.EINVAL) return finished(call, name); // c.EINVAL: a clock that the ring does not know
          call.collect();
          yield new Timer(number, args);
          return 0;
        }
        case POLL: {
          if (deadline < 0) deadline = deadlineOf(number, args);
          const waiting = new PollWait(name, args, deadline);
          yield waiting;
          if (waiting.result < 0) return waiting.result;
          if (waiting.late) args = withoutTimeout(number, args);
          break;
        }
        default:
          throw args === first && deadline < 0 && moved === 0 && r === answer
            ? argumentError(number, args, r)
            : bufferGone(name);
      }
      r = native.call(number, args[0], args[1], args[2], args[3], args[4], args[5]);
    }
  } catch (error) {
    if (error === INTERRUPTED) return moved > 0 ? moved : -c.EINTR;
    if (moved > 0) (error as { bytesTransferred?: number }).bytesTransferred = moved;
    throw error;
  }
}

/** How many calls of holdingLoop() are under way. */
let holders = 0;

/**
 * Runs fn. On the event loop's own stack its system calls wait as fs.*Sync's do, in the kernel, and everything else with them; on a userthread it
 * makes no difference.
 */
export function holdingLoop<R>(fn: () => R): R {
  if (curthread() !== thread0) return fn();
  holders++;
  try {
    return fn();
  } finally {
    holders--;
  }
}

/** What may wait in the kernel although it is thread0's: files, as with fs.*Sync, and whatever holdingLoop() is for. */
function mayHoldLoop(number: number, answer: number): boolean {
  if (holders > 0)
    return answer === READABLE || answer === RECEIVE || answer === WRITABLE || answer === OFFLOAD;
  const block = rowOf(number)?.block;
  return answer === OFFLOAD && ['read', 'write', 'offload', 'device'].includes(block as string);
}

/** What thread0 does, which must not wait: files it does as fs.*Sync do, everything else it refuses. */
function completeOnThread0(number: number, args: unknown[], first: number): number {
  // Perhaps nobody has looked yet whether there is something (native/node/descriptors.h).
  const again = (first === RECEIVE || first === READABLE) && status[STATUS_DONE] === 0;
  const answer = again ? native.call(number, ...args) : first;
  if (answer >= RESULT_MIN) return answer;
  if (answer < BAD_ARGUMENT) throw argumentError(number, args, answer);
  const bytes = status[STATUS_DONE] as number;
  const held = status[STATUS_HELD] as number;
  if (answer === OFFLOAD && held >= 0) native.call(c.SYS_close, held);
  if (!mayHoldLoop(number, answer)) throw wouldBlock(`sys.${rowOf(number)?.name}()`);
  const r = native.callBlocking(number, ...(bytes > 0 ? advance(args, bytes) : args));
  return bytes === 0 ? r : r > 0 ? bytes + r : bytes;
}

/** In blocking style, from native's first answer on. Blocks the running userthread. */
export function complete(number: number, args: unknown[], answer: number): number {
  const td = curthread();
  if (td === thread0) return completeOnThread0(number, args, answer);
  const call = steps(number, args, answer);
  const notify = (): void => wake(td);
  const wait: CallWait = { always: endsByAnyHandler(number), interrupted: false };
  const outer = callOf(td);
  let step = call.next();
  while (!step.done) {
    const pending = step.value;
    pending.begin(notify);
    try {
      if (!pending.done) {
        setCall(td, pending.whole === true ? undefined : wait);
        blockUntil(
          pending.reason,
          () => pending.done || wait.interrupted || (isInterrupted(td) && pending.recall?.() === true),
        );
      }
    } catch (error) {
      pending.cancel();
      step = call.throw(error as Error);
      continue;
    } finally {
      setCall(td, outer);
    }
    if (!pending.done && pending.recall?.() !== true) {
      pending.cancel();
      step = call.throw(INTERRUPTED);
    } else step = call.next();
  }
  return step.value;
}

/** As a promise. */
export async function completeAsync(number: number, args: unknown[], answer: number): Promise<number> {
  const call = steps(number, args, answer);
  let waited = false;
  let step = call.next();
  while (!step.done) {
    const pending = step.value;
    await new Promise<void>((resolve) => {
      pending.begin(resolve);
      if (pending.done) resolve();
      else waited = true;
    });
    step = call.next();
  }
  return waited ? step.value : inTurn(step.value);
}
