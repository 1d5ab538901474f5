/** time.mjs: clocks and sleeping. The fields of a row are explained in ../calls.mjs. */

/** @type {import('../calls.mjs').Row[]} */
export const time = [
  {
    name: 'nanosleep',
    numbers: { x86_64: 35, aarch64: 101 },
    level: 'full',
    block: 'sleep',
    ring: 'IORING_OP_TIMEOUT',
    result: 'nothing',
    errors: ['EFAULT', 'EINTR', 'EINVAL'],
    doc: 'Sleeps for request at least: { sec, nsec }, or a number of milliseconds. Timers have a resolution of a millisecond here.',
    args: [
      ['request', 'timespecIn'],
      ['remain', 'noStruct'],
    ],
  },
  {
    name: 'clock_nanosleep',
    numbers: { x86_64: 230, aarch64: 115 },
    level: 'full',
    block: 'sleep',
    ring: 'IORING_OP_TIMEOUT',
    result: 'nothing',
    errors: ['EFAULT', 'EINTR', 'EINVAL', 'EOPNOTSUPP'],
    doc: 'Sleeps for request at least, or with TIMER_ABSTIME until then, by clock CLOCK_REALTIME, CLOCK_MONOTONIC or CLOCK_BOOTTIME.',
    args: [
      ['clock', 'flags', { flags: 'clock' }],
      ['flags', 'flags', { flags: 'timer' }],
      ['request', 'timespecIn'],
      ['remain', 'noStruct'],
    ],
  },
];
