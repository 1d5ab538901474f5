/** wait.ts: what wait4 and waitid tell of a child (wait4(2), waitid(2)). */

import { decodeSiginfo, type Siginfo } from '../signal/siginfo.ts';
import { decodeRusage, type Rusage } from './rusage.ts';

/** How a child stands. */
export interface Waited {
  /** 0 with WNOHANG where nothing has changed: the rest is of no meaning then. */
  pid: number;
  /** The kernel's own number. */
  status: number;
  /** How it has ended by itself. */
  exitCode: number | undefined;
  /** The signal that has ended it. */
  signal: number | undefined;
  /** The signal that has stopped it. */
  stopSignal: number | undefined;
  /** It goes on. */
  continued: boolean;
  rusage: Rusage;
}

const CONTINUED = 0xffff;

export function decodeWaited(pid: number, statusStruct: Buffer, rusageStruct: Buffer): Waited {
  const status = statusStruct.readInt32LE(0);
  const low = status & 0x7f;
  const stopped = status !== CONTINUED && (status & 0xff) === 0x7f;
  const signalled = status !== CONTINUED && low !== 0 && !stopped;
  return {
    pid,
    status,
    exitCode: low === 0 ? (status >> 8) & 0xff : undefined,
    signal: signalled ? low : undefined,
    stopSignal: stopped ? (status >> 8) & 0xff : undefined,
    continued: status === CONTINUED,
    rusage: decodeRusage(rusageStruct),
  };
}

export interface WaitedId extends Siginfo {
  rusage: Rusage;
}

export const decodeWaitedId = (infoStruct: Buffer, rusageStruct: Buffer): WaitedId => ({
  ...decodeSiginfo(infoStruct),
  rusage: decodeRusage(rusageStruct),
});
