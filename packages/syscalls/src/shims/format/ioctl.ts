/** ioctl.ts: ioctl's third argument, which depends on the request. */
import { constants as c } from '../../generated/constants.ts';
import { ADDRESS } from './text.ts';

/** Requests whose struct only the kernel reads. */
const IN: readonly unknown[] = [
  c.FIONBIO,
  c.FIOASYNC,
  c.TIOCSPGRP,
  c.TIOCSWINSZ,
  c.TIOCSPTLCK,
  c.TCSETS,
  c.FS_IOC_SETFLAGS,
];

export function ioctlStruct(request: unknown, bytes: Buffer, failed: boolean): string {
  if (failed && !IN.includes(request)) return ADDRESS;
  switch (request) {
    case c.TIOCGWINSZ:
    case c.TIOCSWINSZ: {
      const [row, col] = [bytes.readUInt16LE(0), bytes.readUInt16LE(2)];
      return `{ws_row=${row}, ws_col=${col}, ws_xpixel=${bytes.readUInt16LE(4)}, ws_ypixel=${bytes.readUInt16LE(6)}}`;
    }
    case c.BLKGETSIZE64:
    case c.FIOQSIZE:
      return `[${bytes.readBigUInt64LE(0)}]`;
    case c.TCGETS:
    case c.TCSETS:
    case c.TCSETSW:
    case c.TCSETSF:
    case c.FICLONERANGE:
    case c.FS_IOC_FSGETXATTR:
      return `{${bytes.subarray(0, 32).toString('hex')}}`;
    default:
      return `[${bytes.readInt32LE(0)}]`;
  }
}
