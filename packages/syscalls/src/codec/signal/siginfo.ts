/** siginfo.ts: siginfo_t of x86-64 (128 bytes), and signalfd's struct of the same size (sigaction(2), signalfd(2)). */
import { readI64 } from '../integer.ts';

export interface Siginfo {
  /** The signal. */
  signo: number;
  errno: number;
  /** Why: SI_*, CLD_*. */
  code: number;
  /** Who has sent it, or the child that it is about. */
  pid: number;
  uid: number;
  /** Of SIGCHLD: the exit code, or the signal. */
  status: number;
}

export const decodeSiginfo = (struct: Buffer): Siginfo => ({
  signo: struct.readInt32LE(0),
  errno: struct.readInt32LE(4),
  code: struct.readInt32LE(8),
  pid: struct.readInt32LE(16),
  uid: struct.readUInt32LE(20),
  status: struct.readInt32LE(24),
});

/** What a read of a signalfd gives. */
export interface SignalfdInfo extends Siginfo {
  fd: number;
  /** Which of POSIX' timers, and how often it has expired without a signal. */
  tid: number;
  overrun: number;
  /** sigqueue's value. */
  int: number;
  utime: number;
  stime: number;
}

const SIZE = 128;

/** The first length bytes of view, read from a signalfd. Never throws for bytes that are too few: they are left out. */
export function decodeSignalfdInfo(view: NodeJS.ArrayBufferView, length: number): SignalfdInfo[] {
  const bytes = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, Math.min(length, view.byteLength));
  const list: SignalfdInfo[] = [];
  for (let at = 0; at + SIZE <= bytes.length; at += SIZE) {
    const struct = bytes.subarray(at, at + SIZE);
    list.push({
      signo: struct.readUInt32LE(0),
      errno: struct.readInt32LE(4),
      code: struct.readInt32LE(8),
      pid: struct.readUInt32LE(12),
      uid: struct.readUInt32LE(16),
      fd: struct.readInt32LE(20),
      tid: struct.readUInt32LE(24),
      overrun: struct.readUInt32LE(32),
      status: struct.readInt32LE(40),
      int: struct.readInt32LE(44),
      utime: readI64(struct, 56),
      stime: readI64(struct, 64),
    });
  }
  return list;
}
