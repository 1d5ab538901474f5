/** itimer.ts: struct itimerspec and struct itimerval (32 bytes; timerfd_settime(2), setitimer(2)). */
import { object } from '../integer.ts';
import {
  encodeTimespec,
  encodeTimeval,
  readTimespec,
  readTimeval,
  type Timespec,
  type Timeval,
} from './timespec.ts';

/** When a timer expires next, and how often after that; a number stands for milliseconds, 0 for never. */
export interface ItimerspecIn {
  value: Timespec | number;
  /** 0 if absent: once. */
  interval?: Timespec | number;
}

export interface Itimerspec {
  value: Timespec;
  interval: Timespec;
}

export interface Itimerval {
  value: Timeval;
  interval: Timeval;
}

type Encode = (name: string, time: Timespec | number) => Buffer;

function encode(name: string, timer: ItimerspecIn, time: Encode): Buffer {
  const { value, interval = 0 } = object(name, timer, '{ value, interval }');
  return Buffer.concat([time(`${name}.interval`, interval), time(`${name}.value`, value)]);
}

export const encodeItimerspec = (name: string, timer: ItimerspecIn): Buffer =>
  encode(name, timer, encodeTimespec);
export const encodeItimerval = (name: string, timer: ItimerspecIn): Buffer =>
  encode(name, timer, encodeTimeval);

export const decodeItimerspec = (struct: Buffer): Itimerspec => ({
  value: readTimespec(struct, 16),
  interval: readTimespec(struct, 0),
});

export const decodeItimerval = (struct: Buffer): Itimerval => ({
  value: readTimeval(struct, 16),
  interval: readTimeval(struct, 0),
});
