/**
 * sched: the order in which userthreads run, in the standard's words. It is core's: fixed priorities, the higher one first; equals run until they wait
 * or yield (SCHED_FIFO), and in preemptible regions take turns (SCHED_RR).
 */
import { curthread, PRIORITY_MAX, PRIORITY_MIN, UserThread, yieldNow } from '@libcr/core';
import { invalidType, isPreemptible } from '@libcr/core/internal';
import { posixError } from './errors.ts';

/** Until it waits, yields, or one of a higher priority can run when it does. */
export const SCHED_FIFO = 1;
/** The same, and equals take turns: a thread in a preemptible region. */
export const SCHED_RR = 2;

export type Policy = typeof SCHED_FIFO | typeof SCHED_RR;

export interface SchedParam {
  /** 0 to 31. */
  priority: number;
}

/** Lets the other runnable userthreads of this or a higher priority run first. Throws ERR_LWKT_WOULD_BLOCK on thread0. (sched_yield) */
export { yieldNow as yield };

/** The lowest priority: 0. Throws EINVAL for a policy that userthreads don't have. (sched_get_priority_min) */
export function getPriorityMin(policy: Policy): number {
  checkPolicy(policy, 'sched_get_priority_min');
  return PRIORITY_MIN;
}

/** The highest priority: 31. Throws EINVAL for a policy that userthreads don't have. (sched_get_priority_max) */
export function getPriorityMax(policy: Policy): number {
  checkPolicy(policy, 'sched_get_priority_max');
  return PRIORITY_MAX;
}

/** SCHED_RR for a thread in a preemptible region, else SCHED_FIFO; the running one if absent. (sched_getscheduler, pthread_getschedparam) */
export function getScheduler(td: UserThread = curthread()): Policy {
  checkThread(td);
  return isPreemptible(td) ? SCHED_RR : SCHED_FIFO;
}

/** A thread's priority; the running one's if absent. (sched_getparam, pthread_getschedparam) */
export function getParam(td: UserThread = curthread()): SchedParam {
  checkThread(td);
  return { priority: td.priority };
}

/** Sets the priority of a thread of this rfork. Throws TypeError and RangeError. Never blocks. (sched_setparam, pthread_setschedprio) */
export function setParam(td: UserThread, param: SchedParam): void {
  checkThread(td);
  if (typeof param !== 'object' || param === null) throw invalidType('param', 'of type object', param);
  td.priority = param.priority;
}

/**
 * Sets both. Whether a thread is preempted its regions say, so a policy that is not its own is ENOTSUP. Throws TypeError and RangeError, EINVAL for a
 * policy that userthreads don't have. (sched_setscheduler, pthread_setschedparam)
 */
export function setScheduler(td: UserThread, policy: Policy, param: SchedParam): void {
  checkThread(td);
  checkPolicy(policy, 'sched_setscheduler');
  if (policy !== getScheduler(td)) throw posixError('ENOTSUP', 'sched_setscheduler');
  setParam(td, param);
}

function checkThread(td: unknown): asserts td is UserThread {
  if (!(td instanceof UserThread)) throw invalidType('td', 'an instance of UserThread', td);
}

function checkPolicy(policy: unknown, name: string): void {
  if (typeof policy !== 'number') throw invalidType('policy', 'of type number', policy);
  if (policy !== SCHED_FIFO && policy !== SCHED_RR) throw posixError('EINVAL', name);
}
