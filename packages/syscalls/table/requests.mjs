/**
 * requests.mjs: the requests of ioctl, and the commands of calls like it, that may be made: [number, bytes of the struct that the argument
 * points at; 0: an int, or nothing].
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

/** By call. prctl's are those without an address inside; fsconfig's those whose value is text. */
/** @type {Record<string, Record<string, [number: number, size: number]>>} */
export const commands = {
  semctl: {
    IPC_RMID: [0, 0],
    IPC_SET: [1, 104],
    IPC_STAT: [2, 104],
    GETPID: [11, 0],
    GETVAL: [12, 0],
    GETNCNT: [14, 0],
    GETZCNT: [15, 0],
    SETVAL: [16, 0],
    SEM_STAT: [18, 104],
  },
  prctl: {
    PR_SET_PDEATHSIG: [1, 0],
    PR_GET_PDEATHSIG: [2, 4],
    PR_GET_DUMPABLE: [3, 0],
    PR_SET_DUMPABLE: [4, 0],
    PR_GET_KEEPCAPS: [7, 0],
    PR_SET_KEEPCAPS: [8, 0],
    PR_SET_NAME: [15, 16],
    PR_GET_NAME: [16, 16],
    PR_CAPBSET_READ: [23, 0],
    PR_GET_SECUREBITS: [27, 0],
    PR_SET_TIMERSLACK: [29, 0],
    PR_GET_TIMERSLACK: [30, 0],
    PR_SET_CHILD_SUBREAPER: [36, 0],
    PR_GET_CHILD_SUBREAPER: [37, 4],
    PR_SET_NO_NEW_PRIVS: [38, 0],
    PR_GET_NO_NEW_PRIVS: [39, 0],
    PR_SET_THP_DISABLE: [41, 0],
    PR_GET_THP_DISABLE: [42, 0],
  },
  fsconfig: {
    FSCONFIG_SET_FLAG: [0, 0],
    FSCONFIG_SET_STRING: [1, 0],
    FSCONFIG_SET_PATH: [3, 0],
    FSCONFIG_SET_PATH_EMPTY: [4, 0],
    FSCONFIG_SET_FD: [5, 0],
    FSCONFIG_CMD_CREATE: [6, 0],
    FSCONFIG_CMD_RECONFIGURE: [7, 0],
    FSCONFIG_CMD_CREATE_EXCL: [8, 0],
  },
};
