/**
 * hooks.ts: what tracing puts in the way of JavaScript: instead of a look at a flag in each call, the functions themselves are replaced while
 * tracing is on, and put back when it ends. Native switches are traced below (native/src/watch/trace.c).
 *
 * Invariant: after removeHooks every function is the one that it was before installHooks.
 */

import { Msg } from '../msg/msg.ts';
import { MsgPort } from '../msg/msgport.ts';
import { native } from '../node/native.ts';
import { RemoteHome } from '../rfork/ports.ts';
import { self } from '../rfork/self.ts';
import { threadAt } from '../thread/block.ts';
import * as kinds from './kinds.ts';

/** A message's name in the record: who sent it first, and that one's number for it. */
interface Flow {
  rfork: number;
  number: number;
}

/** Different wait reasons that are told apart; more are shown as the last. */
const REASONS_MAX = 4096;

let undo: (() => void)[] = [];
let reasons: string[] = [];
let numbers = new Map<string, number>();
/** Of messages sent from here that are not back. */
let flows = new WeakMap<Msg, Flow>();
let lastMessage = 0;

// biome-ignore lint/suspicious/noExplicitAny: what is replaced gets the arguments of whatever it is
type AnyFunction = (this: any, ...args: any[]) => any;

function replace(object: object, name: string, make: (original: AnyFunction) => AnyFunction): void {
  const functions = object as Record<string, AnyFunction>;
  const original = functions[name] as AnyFunction;
  functions[name] = make(original);
  undo.push(() => {
    functions[name] = original;
  });
}

function mark(kind: number, flow: Flow | undefined, time = 0): void {
  if (flow !== undefined) native.traceMark(kind, flow.rfork, flow.number, time);
}

function flowOf(msg: Msg): Flow | undefined {
  return msg.origin === undefined ? flows.get(msg) : { rfork: msg.origin.rfork, number: msg.origin.id };
}

function now(): number {
  return Number(process.hrtime.bigint()); // CLOCK_MONOTONIC, as the native side
}

/** The sender has its message back. */
function markDone(msg: Msg): void {
  mark(kinds.DONE, flows.get(msg));
  flows.delete(msg);
}

function reasonNumber(reason: string): number {
  let number = numbers.get(reason);
  if (number !== undefined) return number;
  if (reasons.length === REASONS_MAX) return REASONS_MAX;
  number = reasons.push(reasons.length === REASONS_MAX - 1 ? 'something else' : reason);
  numbers.set(reason, number);
  return number;
}

function hookWaits(): void {
  replace(native, 'block', (block) => () => {
    const slot = native.traceSlot();
    const reason = slot < 0 ? undefined : threadAt(slot)?.reason;
    if (reason !== undefined) native.traceNote(reasonNumber(reason));
    return block();
  });
}

function hookMessages(): void {
  replace(
    Msg.prototype,
    'begin',
    (begin) =>
      function (this: Msg, target: MsgPort, sync: boolean): void {
        begin.call(this, target, sync);
        flows.delete(this);
        if (target.home !== undefined) return; // that rfork's number for it is known later, in put
        flows.set(this, { rfork: self.id, number: kinds.LOCAL_MESSAGES + ++lastMessage });
        mark(kinds.SEND, flows.get(this));
      },
  );
  replace(
    Msg.prototype,
    'replymsg',
    (replymsg) =>
      function (this: Msg, ...args: unknown[]): void {
        const flow = this.origin === undefined ? undefined : flowOf(this); // else complete marks it
        const time = now(); // before anybody can have it
        replymsg.apply(this, args);
        mark(kinds.REPLY, flow, time);
      },
  );
  replace(
    Msg.prototype,
    'complete',
    (complete) =>
      function (this: Msg, error: unknown, result: unknown): void {
        mark(kinds.REPLY, flowOf(this));
        complete.call(this, error, result);
      },
  );
  replace(
    Msg.prototype,
    'waitmsg',
    (waitmsg) =>
      function (this: Msg, ...args: unknown[]): unknown {
        try {
          return waitmsg.apply(this, args);
        } finally {
          if (this.status === 'done') markDone(this);
        }
      },
  );
}

function hookPorts(): void {
  replace(
    MsgPort.prototype,
    'domsg',
    (domsg) =>
      function (this: MsgPort, msg: Msg, ...args: unknown[]): unknown {
        try {
          return domsg.call(this, msg, ...args);
        } finally {
          if (msg instanceof Msg && msg.status === 'done') markDone(msg);
        }
      },
  );
  replace(
    MsgPort.prototype,
    'unqueue',
    (unqueue) =>
      function (this: MsgPort, msg: Msg): void {
        if (msg.status === 'replied') markDone(msg);
        else mark(kinds.TAKE, flowOf(msg));
        unqueue.call(this, msg);
      },
  );
  replace(
    MsgPort.prototype,
    'receive',
    (receive) =>
      function (this: MsgPort, msg: Msg): void {
        mark(kinds.ARRIVE, flowOf(msg));
        receive.call(this, msg);
      },
  );
  replace(
    RemoteHome.prototype,
    'put',
    (put) =>
      function (this: RemoteHome, msg: Msg): void {
        const before = flowOf(msg); // undefined unless it is passed on
        const time = now(); // before anybody there can have it
        put.call(this, msg);
        mark(kinds.FORWARD, before, time);
        if (msg.away === undefined) return; // it was another rfork's
        const flow = { rfork: self.id, number: msg.away.id };
        flows.set(msg, flow);
        mark(kinds.SEND, flow, time);
      },
  );
}

export function installHooks(): void {
  reasons = [];
  numbers = new Map();
  flows = new WeakMap();
  hookWaits();
  hookMessages();
  hookPorts();
}

/** Returns the texts of the wait reasons, by their number less one. */
export function removeHooks(): string[] {
  for (const put of undo) put();
  undo = [];
  return reasons;
}
