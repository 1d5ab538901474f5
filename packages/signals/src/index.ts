/**
 * @libcr/signals: POSIX' signals for userthreads. See README.md.
 *
 * Not here: the signals of programs that run under @libcr/posix-compat; those are native/.
 */
export { type Action, type ActionOptions, SignalAction, sigaction } from './action.ts';
export type { SignalHandler } from './handlers.ts';
export { type How, PreviousMask, sigprocmask } from './mask.ts';
export { SIGRTMAX, SIGRTMIN, type Signal } from './names.ts';
export { kill, sigpending, sigqueue, threadKill } from './send.ts';
export {
  SI_ASYNCIO,
  SI_KERNEL,
  SI_MESGQ,
  SI_QUEUE,
  SI_TIMER,
  SI_TKILL,
  SI_USER,
  type SignalInfo,
} from './siginfo.ts';
export { type Signals, SigSet } from './sigset.ts';
export {
  abortOn,
  onsignal,
  SignalError,
  type SignalIterator,
  type SubscribeOptions,
  type Subscription,
  signals,
} from './subscribe.ts';
export {
  alarm,
  CLOCK_BOOTTIME,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLOCK_TAI,
  CLOCK_THREAD_CPUTIME_ID,
  Timer,
  type TimerOptions,
  type TimerSetting,
  timer,
} from './timer.ts';
export { sigsuspend, sigwait } from './wait.ts';
