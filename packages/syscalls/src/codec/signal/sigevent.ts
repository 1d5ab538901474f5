/** sigevent.ts: struct sigevent (64 bytes; sigevent(3type)): which signal a timer sends, if any. */
import { integer, object, safe } from '../integer.ts';

export interface Sigevent {
  /** 0: none is sent. */
  signal: number;
  /** What comes along in the siginfo: an integer; the kernel does not look at it. */
  value?: number;
}

const SIGEV_SIGNAL = 0;
const SIGEV_NONE = 1;

export function encodeSigevent(name: string, event: Sigevent): Buffer {
  const { signal, value = 0 } = object(name, event, '{ signal, value }');
  integer(`${name}.signal`, signal, 0, 64);
  const struct = Buffer.alloc(64);
  struct.writeBigInt64LE(BigInt(safe(`${name}.value`, value)), 0);
  struct.writeInt32LE(signal, 8);
  struct.writeInt32LE(signal === 0 ? SIGEV_NONE : SIGEV_SIGNAL, 12);
  return struct;
}
