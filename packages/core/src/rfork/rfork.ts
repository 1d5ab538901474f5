/**
 * rfork.ts: another JavaScript CPU, seen from the one that started it: a Worker with its own userthreads, and the port to talk to it. What happens on
 * the other side is in main.ts.
 *
 * Invariant: `finished` settles exactly once, also where the Worker never came to load anything.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Worker, WorkerOptions } from 'node:worker_threads';
import { isUrl } from '../errors/brands.ts';
import { CodedError, invalidType, invalidValue } from '../errors/errors.ts';
import { inspectAsString } from '../errors/inspect.ts';
import { checkTransfer, Msg } from '../msg/msg.ts';
import type { MsgPort } from '../msg/msgport.ts';
import { native } from '../node/native.ts';
import { ownTimers } from '../node/own-timers.ts';
import { checkSlice } from '../preempt/preemption.ts';
import { checkStackSize, stackForRforks } from '../thread/stack-size.ts';
import type { WaitOptions } from '../thread/userthread.ts';
import { wait } from '../thread/wait.ts';
import { traceOrders } from '../trace/trace-events.ts';
import { failures, isEndOf, putRemote } from './messages.ts';
import { proxyOf } from './ports.ts';
import { preloads } from './preload.ts';
import type { Orders } from './self.ts';
import { MAIN_PORT, START_PORT } from './wire.ts';

export interface RforkOptions extends Pick<WorkerOptions, 'argv' | 'env' | 'execArgv' | 'resourceLimits'> {
  /** Shown in errors, lists and reports; "rfork" if absent. */
  name?: string | undefined;
  /** The second argument of the module's function: a structured clone, in which ports go along. */
  data?: unknown;
  /** Bytes of stack that its userthreads have where create() does not say, its main one included: as for create(); if absent what holds here. */
  stackSize?: number | undefined;
  /** ArrayBuffers in data that move there instead of being copied. */
  transfer?: readonly ArrayBuffer[] | undefined;
  /** The slice of its preemptible userthreads, in milliseconds, 0.1 to 10,000; 10 if absent. See setSlice. */
  slice?: number | undefined;
}

/** What an rfork's module exports as its default: its first userthread runs it. Its own port comes first, whose messages any of its threads may take. */
export type RforkMain<T = unknown, R = unknown, D = unknown> = (port: MsgPort<T, R>, data: D) => unknown;

/** starting: its module is being loaded, or its function runs; ended: its Worker has exited. */
export type RforkState = 'running' | 'ended';

const ignore = (): void => {};

/** Milliseconds. */
const TIME_TO_ASK = 1000;
/** Those that have failed lately. */
const unasked = new Set<{ readonly finished: Promise<unknown> }>();

/** Now, if not before, there is a promise for its failure. */
function report(rfork: { readonly finished: Promise<unknown> }): void {
  unasked.delete(rfork);
  if (unasked.size === 0) process.removeListener('beforeExit', reportAll);
  void rfork.finished;
}

function reportAll(): void {
  for (const rfork of unasked) report(rfork);
}

function moduleUrl(module: unknown): string {
  if (isUrl(module)) return module.href;
  if (typeof module !== 'string') throw invalidType('module', 'of type string or an instance of URL', module);
  if (/^(file|data):/.test(module)) return module;
  if (module.startsWith('/') || /^\.\.?\//.test(module)) return pathToFileURL(resolve(module)).href;
  throw invalidValue(
    `new Rfork(): "${module}" is neither a URL nor a path that begins with /, ./ or ../ (those two from the working directory). ` +
      "Beside the caller's file: new URL('./module.js', import.meta.url)",
  );
}

function checkOptions(options: RforkOptions): void {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  if (options.name !== undefined && typeof options.name !== 'string')
    throw invalidType('options.name', 'of type string', options.name);
  if (options.stackSize !== undefined) checkStackSize(options.stackSize);
  checkTransfer('options.transfer', options.transfer);
  if (options.slice !== undefined) checkSlice('options.slice', options.slice);
}

/** The file that the Worker begins with: beside this one, built or not. */
function entry(): URL {
  const built = new URL('./rfork-main.cjs', import.meta.url);
  return existsSync(fileURLToPath(built)) ? built : new URL('./main.ts', import.meta.url);
}

/**
 * Another JavaScript CPU: a Worker that runs the default export of a module, `function main(port, data)`, as its first userthread. Messages sent to
 * `rfork.port` arrive at `port` there, answers come back, by structured clone; ArrayBuffers may be moved, SharedArrayBuffers are shared, and ports (of
 * whatever rfork) can be used wherever they arrive.
 *
 * It ends when main has returned and its event loop has nothing left to do, by terminate(), by process.exit() there, or by an exception that nobody
 * catches. Then whatever was sent to it comes back with ERR_LWKT_RFORK_ENDED. It keeps the program alive as a Worker does. (DragonFly's libcaps:
 * caps_fork_vcpu; rfork(2))
 */
export class Rfork<T = unknown, R = unknown> {
  /** Unique in the process. */
  readonly id: number;
  readonly name: string;
  /** Where messages to it go. */
  readonly port: MsgPort<T, R>;
  readonly #worker: Worker;
  readonly #outcome: Promise<unknown>;
  #finished: Promise<unknown> | undefined;
  readonly #exited: Promise<void>;
  #state: RforkState = 'running';
  #error: unknown;

  /** Starts it; does not wait. Throws TypeError for bad arguments, DataCloneError for data that can't go there. */
  constructor(module: string | URL, options: RforkOptions = {}) {
    const url = moduleUrl(module);
    checkOptions(options);
    const { name = 'rfork', data, transfer, slice, argv, env, execArgv, resourceLimits } = options;
    const stackSize = options.stackSize ?? stackForRforks(); // what LIBCR_STACK_SIZE says goes with the environment

    this.id = native.reserve(name);
    this.name = name;
    this.port = proxyOf(this.id, MAIN_PORT, 0, name) as MsgPort<T, R>;
    const start = new Msg<unknown, unknown>(data, { transfer });
    start.begin(this.port as MsgPort, true);
    try {
      putRemote(this.id, START_PORT, start, false); // the Worker keeps the loop alive, unless it is unref'ed
      const trace = traceOrders(this.id);
      const ordered = { id: this.id, name, module: url, trace, preloads, stackSize, slice };
      const orders: Orders = { '@libcr/core rfork': ordered };
      const threads = process.getBuiltinModule('node:worker_threads'); // not before: streams come with it
      this.#worker = new threads.Worker(entry(), {
        argv,
        env,
        execArgv,
        resourceLimits,
        name,
        workerData: orders,
      });
    } catch (error) {
      native.forsake(this.id);
      throw error;
    }
    // Told before the end is, so it is known when the others' messages come back.
    failures.set(this.id, () => start.error);
    this.#worker.on('error', (error) => {
      this.#error = error;
    });
    this.#exited = new Promise((exited) => {
      this.#worker.once('exit', (code) => {
        this.#state = 'ended';
        native.forsake(this.id); // where it never came to take what it was sent
        this.#error ??= new CodedError(
          'ERR_LWKT_RFORK_ENDED',
          `rfork ${this.id} "${this.name}" has ended (exit code ${code}) before its main function returned`,
        );
        exited();
      });
    });
    this.#outcome = start.finished.catch(async (error) => {
      if (!isEndOf(this.id, error)) throw error;
      await this.#exited; // which knows more
      throw this.#error;
    });
    this.#outcome.catch(() => this.#giveTimeToAsk());
  }

  /** Whoever is blocked when it fails, in a message to it perhaps, can't have asked: he gets some time until the failure is an unhandled rejection. */
  #giveTimeToAsk(): void {
    if (this.#finished !== undefined) return;
    if (unasked.size === 0) process.on('beforeExit', reportAll);
    unasked.add(this);
    ownTimers.setTimeout(report, TIME_TO_ASK, this).unref();
  }

  /**
   * Resolves to what main returned, rejects with what it threw, with the Worker's error, or with ERR_LWKT_RFORK_ENDED. A failure that nobody has
   * asked for a second later, or when the program has nothing left to do, is an unhandled rejection, but for terminate().
   */
  get finished(): Promise<unknown> {
    this.#finished ??= this.#outcome.then((value) => value);
    return this.#finished;
  }

  get state(): RforkState {
    return this.#state;
  }

  /** On a userthread: waits until main has returned, and returns its value or throws what it threw; see finished. */
  join(options?: WaitOptions): unknown {
    return wait(this.finished, options);
  }

  /**
   * Ends it at once, wherever it is: no finally block runs there, messages that it has come back with ERR_LWKT_RFORK_ENDED. The promise
   * resolves when it is gone. (worker.terminate())
   */
  async terminate(): Promise<void> {
    this.finished.catch(ignore);
    await this.#worker.terminate();
    await this.#exited;
  }

  /** The program need not stay alive for it. A message under way to it still keeps the program alive. */
  unref(): this {
    this.#worker.unref();
    return this;
  }

  ref(): this {
    this.#worker.ref();
    return this;
  }

  /** Closes its port: main's loop over it ends. */
  [Symbol.dispose](): void {
    this.port.close();
  }

  /** terminate(). */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate();
  }

  toString(): string {
    return `Rfork ${this.id} "${this.name}" ${this.#state}`;
  }
}

inspectAsString(Rfork);
