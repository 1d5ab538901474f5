/**
 * desk.ts: where programs' calls are served: looks at what has been posted, and has userthreads run the shims for it.
 *
 * One userthread serves: it runs the shims itself, call after call. While it waits in one, and others come, another takes its place, from those that have been replaced before;
 * who has been replaced finishes his call, and is spare. So a call costs no switch where shims do not wait, and thousands may wait at once.
 *
 * Invariant: while there is a call that has not begun, and the one who serves waits in a shim, onBell comes before the event loop sleeps (`waiting`).
 */
import { channel } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import { create, curthread, type UserThread, yieldNow } from '@libcr/core';
import { blockUntil, wake } from '@libcr/core/internal';
import {
  COMMAND_DONE,
  COMMAND_PASS,
  EVENT_BEGIN,
  EVENT_CALL,
  EVENT_FORKED,
  EVENT_RETURN,
  SLOT,
  SLOT_ASLEEP,
  SLOT_POSTED,
} from '../generated/channel.ts';
import { constants as c } from '../generated/constants.ts';
import type { NativeSupervisor } from '../native.ts';
import { SysMsg } from '../port/sysmsg.ts';
import { Asking } from './asking.ts';
import { hasEnded, type Process, Process as ProcessOf, programOf } from './processes.ts';
import { type ProgramPort, served } from './program-port.ts';
import { RowMemory } from './rows/row-memory.ts';
import { RowTable } from './rows/row-table.ts';
import { Slots } from './slots.ts';
import { Spin, setLwpsLooks } from './spin.ts';

const ERESTARTNOINTR = 513;
/** Milliseconds after which the one who serves lets the event loop have its turn. */
const TURN = 2;
/** Spare userthreads that are kept. */
const SPARE_MAX = 32;

const shimErrors = channel('libcr:syscalls:shim-error');

interface Server {
  readonly td: UserThread;
  /** It has nothing to do, and waits for calls. */
  idle: boolean;
}

/** Who is told of processes. */
export interface Listener {
  begun(process: Process): void;
  ended(process: Process): void;
}

export class Desk {
  readonly native: NativeSupervisor;
  readonly slots: Slots;
  readonly rows: RowTable;
  /** By sl_process. */
  readonly processes: Map<number, Process> = new Map();
  /** Calls that have been served. */
  count = 0;
  /** Which calls the shims want: 1 or 0 by number. */
  private wanted: Uint8Array = new Uint8Array(0);
  private readonly memory: RowMemory;
  private readonly port: ProgramPort;
  private readonly listener: Listener;
  private readonly spinForCalls = new Spin();
  private readonly spinForReturns = new Spin();
  /** Slots of calls that have not begun. waiting[0] is how many. */
  private readonly queue: number[] = [];
  private readonly waiting: Int32Array;
  /** By slot. */
  private readonly askings: Map<number, Asking> = new Map();
  /** When the event loop has had its turn. */
  private turn = 0;
  private server: Server | undefined;
  private readonly spare: Server[] = [];
  private servers = 0;
  private closed = false;

  constructor(native: NativeSupervisor, waiting: Int32Array, port: ProgramPort, listener: Listener) {
    this.native = native;
    this.slots = new Slots(native.memory);
    this.memory = new RowMemory(native.memory, () => native.clock());
    this.rows = new RowTable(this.memory, () => this.want());
    this.waiting = waiting;
    this.port = port;
    this.listener = listener;
    setLwpsLooks(this.slots, native.turns);
  }

  /** What the shims want has changed. */
  want(): void {
    if (this.closed) return;
    this.wanted = this.port.wanted();
    this.slots.setWanted(this.rows.set(this.port.stack));
  }

  now(): number {
    return performance.now();
  }

  /** Calls that shims are busy with. */
  get busy(): Iterable<Asking> {
    return this.askings.values();
  }

  /** How many userthreads there are. */
  get userthreads(): number {
    return this.servers;
  }

  answer(slot: number): void {
    this.native.answer(slot);
  }

  // ---------------------------------------------------------------- looking

  /** Something has been posted. From the event loop. */
  bell(): void {
    this.lookAtAll();
    if (this.queue.length > 0) this.haveServed();
  }

  private lookAtAll(): void {
    for (let slot = this.native.next(0); slot >= 0; slot = this.native.next(0)) this.look(slot);
  }

  private look(slot: number): void {
    const at = this.slots.at(slot);
    const asking = this.askings.get(slot);
    const state = this.slots.word(at + SLOT.state);
    if (state !== SLOT_POSTED && state !== SLOT_ASLEEP) return; // of a process that has ended meanwhile
    if (asking !== undefined) {
      if (asking.out && this.slots.word(at + SLOT.event) === EVENT_RETURN) asking.returned();
      if (this.slots.word(at + SLOT.cancel) !== 0) asking.cancel();
      return;
    }
    switch (this.slots.word(at + SLOT.event)) {
      case EVENT_CALL:
        if (this.queue.includes(slot)) return; // its lwp wants an answer soon: it will be seen when it begins
        this.queue.push(slot);
        this.waiting[0] = this.queue.length;
        return;
      case EVENT_BEGIN:
        this.begin(at);
        break;
      case EVENT_FORKED:
        this.process(at, '');
        break;
    }
    this.pass(slot);
  }

  /** A look for what an asking waits for, before it sleeps. Calls that come meanwhile are another's to serve. */
  lookFor(asking: Asking): void {
    if (this.server?.td !== curthread()) return;
    const spin = this.spinForReturns;
    while (asking.out && this.queue.length === 0) {
      const posted = this.native.next(spin.look);
      spin.found(posted >= 0);
      if (posted < 0) return;
      this.look(posted);
    }
    if (asking.out) this.replace();
  }

  private pass(slot: number): void {
    this.slots.setWord(this.slots.at(slot) + SLOT.command, COMMAND_PASS);
    this.native.answer(slot);
  }

  // ---------------------------------------------------------------- processes

  private nameAt(at: number): string {
    const length = this.slots.word(at + SLOT.arguments + 8);
    const bytes = this.slots.part(at, this.slots.word(at + SLOT.arguments + 4), length);
    return bytes === undefined ? '' : bytes.toString();
  }

  private begin(at: number): void {
    const program = this.nameAt(at);
    const known = this.processes.get(this.slots.word(at + SLOT.process));
    if (this.rows.isTraceRefused) this.want();
    if (known === undefined) {
      this.process(at, program);
      return;
    }
    this.free(known, true);
    this.memory.flights.over(known.number, true);
    known.becomes(program);
    this.listener.begun(known);
  }

  /** Whose slot it is. program: what it runs; '' where it does not say: its parent's, or what the kernel says. */
  private process(at: number, program: string): Process {
    const number = this.slots.word(at + SLOT.process);
    const known = this.processes.get(number);
    if (known !== undefined) return known;
    const pid = this.slots.word(at + SLOT.pid);
    const parent =
      this.slots.word(at + SLOT.event) === EVENT_FORKED ? this.slots.word(at + SLOT.parent) : undefined;
    const process = new ProcessOf(number, pid, program || this.programOf(parent) || programOf(pid), parent);
    this.processes.set(number, process);
    if (pid > 0 && this.native.watch(pid) < 0) queueMicrotask(() => this.ended(pid)); // it has ended already
    this.listener.begun(process);
    return process;
  }

  private programOf(pid: number | undefined): string | undefined {
    return pid === undefined
      ? undefined
      : [...this.processes.values()].find((each) => each.pid === pid)?.program;
  }

  /** From the event loop. */
  ended(pid: number): void {
    for (const process of this.processes.values()) {
      if (process.pid !== pid) continue;
      if (!this.closed) this.rows.drain();
      this.processes.delete(process.number);
      if (!this.closed) {
        this.free(process, false);
        this.memory.flights.over(process.number, false);
      }
      this.listener.ended(process);
      return;
    }
  }

  /** What its lwps had posted is nobody's any more. */
  private free(process: Process, becomes: boolean): void {
    this.lookAtAll(); // what has been posted before its end
    for (const asking of [...process.askings]) asking.end(becomes);
    for (const slot of this.slots.used()) {
      const at = this.slots.at(slot);
      if (this.askings.has(slot)) continue;
      const says = this.slots.word(at + SLOT.pid) !== 0;
      if (!says || this.slots.word(at + SLOT.process) !== process.number) {
        if (!says && hasEnded(this.slots.owner(slot))) this.native.release(slot); // killed when he took it
        continue;
      }
      const event = this.slots.word(at + SLOT.event);
      if (becomes && event === EVENT_BEGIN) continue; // that tells of it
      const queued = this.queue.indexOf(slot);
      if (queued >= 0) this.queue.splice(queued, 1);
      this.native.release(slot);
    }
    this.waiting[0] = this.queue.length;
  }

  // ---------------------------------------------------------------- serving

  /** Somebody begins what is in the queue. */
  private haveServed(): void {
    const { server } = this;
    if (server === undefined) this.replace();
    else if (server.idle) {
      server.idle = false;
      wake(server.td);
    } else if (server.td.state === 'blocked') this.replace();
  }

  private replace(): void {
    const spare = this.spare.pop();
    if (spare !== undefined) {
      this.server = spare;
      spare.idle = false;
      wake(spare.td);
      return;
    }
    this.servers++;
    const td: UserThread = create(() => this.work(server), {
      name: 'supervisor',
      daemon: true,
      syscallPort: undefined,
    });
    const server: Server = { td, idle: false };
    this.server = server;
  }

  private work(me: Server): void {
    try {
      while (!this.closed) {
        this.serveAll(me);
        if (this.spare.length >= SPARE_MAX || this.closed) return;
        me.idle = true;
        this.spare.push(me);
        blockUntil('its turn to serve programs', () => !me.idle || this.closed);
      }
    } finally {
      this.servers--;
      const i = this.spare.indexOf(me); // somebody may have aborted it
      if (i >= 0) this.spare.splice(i, 1);
      if (this.server === me) this.server = undefined;
    }
  }

  /** Until another serves. */
  private serveAll(me: Server): void {
    while (this.server === me && !this.closed) {
      const slot = this.nextCall();
      if (slot >= 0) {
        this.serve(slot);
        this.giveWay();
        continue;
      }
      me.idle = true;
      blockUntil('calls of programs', () => !me.idle || this.closed);
      this.turn = this.now();
    }
  }

  /** Calls may come without end. */
  private giveWay(): void {
    const now = this.now();
    if (now - this.turn < TURN) return;
    yieldNow();
    this.turn = this.now();
  }

  /** A call that has not begun, or -1. Looks for a while. */
  private nextCall(): number {
    if (this.queue.length === 0) {
      const spin = this.spinForCalls;
      let posted = this.native.next(spin.look);
      spin.found(posted >= 0);
      while (posted >= 0) {
        this.look(posted);
        if (this.queue.length > 0) break;
        posted = this.native.next(0);
      }
    }
    const slot = this.queue.shift() ?? -1;
    this.waiting[0] = this.queue.length;
    return slot;
  }

  private serve(slot: number): void {
    const { slots } = this;
    const at = slots.at(slot);
    const number = Number(slots.long(at + SLOT.number));
    if (slots.word(at + SLOT.cancel) !== 0) {
      this.done(slot, -ERESTARTNOINTR); // a signal that has come before anybody has looked: the call has not begun
      return;
    }
    if (this.wanted[number] !== 1) {
      this.pass(slot);
      return;
    }
    this.count++;
    const process = this.process(at, '');
    const thread = process.thread(slots, at);
    const asking = new Asking(this, slot, thread);
    const { td } = asking;
    const outer = thread.asking;
    this.askings.set(slot, asking);
    process.askings.add(asking);
    thread.asking = asking;
    served.set(td, asking);
    td.syscallPort = this.port;
    asking.since = this.now();
    try {
      asking.finish(this.run(asking, new SysMsg(number, asking.call.args, thread)));
    } finally {
      td.syscallPort = undefined;
      served.delete(td);
      if (thread.asking === asking) thread.asking = outer;
      process.askings.delete(asking);
      this.askings.delete(slot);
    }
  }

  private run(asking: Asking, message: SysMsg): number {
    try {
      return this.port.dispatch(message);
    } catch (error) {
      const reply = asking.replyTo(error);
      if (reply !== undefined) return reply;
      shimErrors.publish({ shim: this.port.shims.join(', '), message, error });
      return -c.EIO;
    }
  }

  private done(slot: number, result: number): void {
    const at = this.slots.at(slot);
    this.slots.setLong(at + SLOT.result, result);
    this.slots.setWord(at + SLOT.command, COMMAND_DONE);
    this.native.answer(slot);
  }

  // ---------------------------------------------------------------- the end

  /** Whoever still asks goes on as if there were no shims. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.slots.setWanted(new Uint8Array(512));
    this.rows.close();
    for (const slot of this.queue.splice(0)) this.pass(slot);
    for (const asking of [...this.askings.values()]) asking.detach();
    for (let slot = this.native.next(0); slot >= 0; slot = this.native.next(0)) this.pass(slot);
    if (this.server !== undefined) wake(this.server.td);
    for (const { td } of this.spare) wake(td);
  }
}
