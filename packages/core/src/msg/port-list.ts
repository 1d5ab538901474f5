/**
 * port-list.ts: the ports of this rfork in which messages have waited, or which the event loop takes from, for who wants to look at them (src/top/). At others
 * there is nothing to be seen but the userthreads that wait there, and these know it. It keeps none of them alive.
 *
 * A WeakRef costs as much as ten ports do: so a port is listed when there is a reason, and once.
 */
import type { MsgPort } from './msgport.ts';

const SWEEP_MIN = 1024;

let ports: WeakRef<MsgPort>[] = [];
let sweepAt = SWEEP_MIN;

/** Once for each port. */
export function listPort(port: MsgPort): void {
  ports.push(new WeakRef(port));
  if (ports.length < sweepAt) return;
  ports = ports.filter((ref) => ref.deref() !== undefined);
  sweepAt = Math.max(SWEEP_MIN, 2 * ports.length);
}

/** Those that are not garbage yet. */
export function listedPorts(): MsgPort[] {
  return ports.map((ref) => ref.deref()).filter((port) => port !== undefined);
}
