/** answers.ts: what native/node/direct/direct.c answers besides results: the numbers of native/node/syscalls.h. */

/** The smallest result of a system call: -4095 is the highest errno. */
export const RESULT_MIN = -4095;

export const READABLE = -5001;
export const WRITABLE = -5002;
export const OFFLOAD = -5003;
export const SLEEP = -5004;
export const POLL = -5005;
export const CONNECTING = -5006;
export const RECEIVE = -5007;

export const BAD_TYPE = -6000;
export const BAD_RANGE = -6100;
export const BAD_NUL = -6200;

/** Slots of native.ts' status. */
export const STATUS_DONE = 0;
export const STATUS_HELD = 1;
