/**
 * requests.mjs: the requests of ioctl that may be made: [number, bytes of the struct that the argument points at; 0: an int, or nothing].
 *
 * A request belongs here only if its struct has no pointer inside: marshal.c sees to the bytes of the struct itself and to no more.
 * (ioctl_tty(2), ioctl_fs(2), socket(7))
 */
/** @type {Record<string, [number: number, size: number]>} */
export const requests = {
  FIGETBSZ: [0x2, 4],
  BLKSSZGET: [0x1268, 4],
  TCGETS: [0x5401, 36],
  TCSETS: [0x5402, 36],
  TCSETSW: [0x5403, 36],
  TCSETSF: [0x5404, 36],
  TCXONC: [0x540a, 0],
  TCFLSH: [0x540b, 0],
  TIOCEXCL: [0x540c, 0],
  TIOCNXCL: [0x540d, 0],
  TIOCGPGRP: [0x540f, 4],
  TIOCSPGRP: [0x5410, 4],
  TIOCOUTQ: [0x5411, 4],
  TIOCGWINSZ: [0x5413, 8],
  TIOCSWINSZ: [0x5414, 8],
  FIONREAD: [0x541b, 4],
  FIONBIO: [0x5421, 4],
  TIOCGSID: [0x5429, 4],
  FIONCLEX: [0x5450, 0],
  FIOCLEX: [0x5451, 0],
  FIOASYNC: [0x5452, 4],
  FIOQSIZE: [0x5460, 8],
  SIOCATMARK: [0x8905, 4],
  TIOCSPTLCK: [0x40045431, 4],
  FS_IOC_SETFLAGS: [0x40086602, 8],
  FICLONE: [0x40049409, 0],
  FICLONERANGE: [0x4020940d, 32],
  TIOCGPTN: [0x80045430, 4],
  FS_IOC_GETFLAGS: [0x80086601, 8],
  FS_IOC_GETVERSION: [0x80087601, 8],
  BLKGETSIZE64: [0x80081272, 8],
  FS_IOC_FSGETXATTR: [0x801c581f, 28],
};
