/**
 * self.ts: who this rfork is. A Worker that new Rfork() has started finds its orders in workerData; any other JavaScript thread that loads this
 * package (the main one, a Worker of one's own) is an rfork too, with a number of its own.
 */
import { native } from '../node/native.ts';
import type { Preload } from './preload.ts';

/** That an rfork is to be traced, and for whom. (src/trace/) */
export interface TraceOrders {
  /** The rfork that wants the record. */
  root: number;
  bufferSize: number;
}

/** What new Rfork() gives its Worker as workerData. */
export interface Orders {
  '@libcr/core rfork': {
    id: number;
    name: string;
    module: string;
    trace?: TraceOrders | undefined;
    preloads?: readonly Preload[];
    /** Of its preemptible userthreads, in ms. */
    slice?: number | undefined;
    /** Bytes that its userthreads have if nothing else is said. */
    stackSize?: number | undefined;
  };
}

/** node:worker_threads, which the main thread need not load: streams come with it. */
const worker = native.onDefaultLoop ? undefined : process.getBuiltinModule('node:worker_threads');

function readOrders(): Orders['@libcr/core rfork'] | undefined {
  const workerData: unknown = worker?.workerData;
  return typeof workerData === 'object' && workerData !== null
    ? (workerData as Partial<Orders>)['@libcr/core rfork']
    : undefined;
}

/** Set in what new Rfork() has started. */
export const orders: Orders['@libcr/core rfork'] | undefined = readOrders();

/** One JavaScript CPU: the main thread or a Worker. */
export interface RforkInfo {
  /** Unique in the process: 1, 2, … */
  readonly id: number;
  /** As given to new Rfork(); "main" for the main thread, "worker N" for a Worker of another making. */
  readonly name: string;
}

/** The rfork that this code runs on. (mycpu) */
export const self: RforkInfo = enter(
  orders?.name ?? (worker === undefined || worker.isMainThread ? 'main' : `worker ${worker.threadId}`),
);

function enter(name: string): RforkInfo {
  return Object.freeze({ id: native.enter(orders?.id ?? 0, name), name });
}
