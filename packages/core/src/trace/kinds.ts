/**
 * kinds.ts: what the events of a trace are: the native side's (LWKT_TRACE_* of native/include/lwkt.h) and ours, which say where a message is.
 */

/** Of struct lwkt_trace_event, in bytes. */
export const EVENT_SIZE = 64;

export const NAME = 1;
export const BEGIN = 2;
export const RUN = 3;
export const LEAVE = 4;
export const END = 5;
export const SLEEP = 6;
export const WAKE = 7;
export const IPI_SEND = 8;
export const IPI_RUN = 9;
/** number 1: the event loop is about to poll; 0: it has polled. (native/node/loop.cc) */
export const POLL = 16;

/** A message is sent. Of a message's events `rfork` and `number` are its name, on whatever rfork. */
export const SEND = 17;
/** It has come to another rfork: thread0 puts it on its port there. */
export const ARRIVE = 18;
/** It is taken from its port. */
export const TAKE = 19;
/** It goes on to another port. */
export const FORWARD = 20;
/** It is answered; also, where it was sent, its answer has come from another rfork. */
export const REPLY = 21;
/** Its sender has the answer. */
export const DONE = 22;

/** The CPU is taken from it while it computes: the number-th time in its region. (native/node/preempt/preempt.cc) */
export const PREEMPTED = 23;

/** What the message events are called in the file. */
export const MESSAGE_STEPS: Record<number, string> = {
  [SEND]: 'sent',
  [ARRIVE]: 'arrives',
  [TAKE]: 'taken',
  [FORWARD]: 'forwarded',
  [REPLY]: 'answered',
  [DONE]: 'done',
};

/** Numbers above this are those of messages that never left their rfork. */
export const LOCAL_MESSAGES: number = 2 ** 40;
