/** time.ts: a point in time as file systems keep it. Not changed but replaced, so that inodes may share one. */

export interface Time {
  /** Since 1970; negative before. */
  readonly sec: number;
  /** 0 to 999,999,999. */
  readonly nsec: number;
}

/** Date's clock, so that tests which set it set this one, too. */
export function now(): Time {
  const ms = Date.now();
  const sec = Math.floor(ms / 1000);
  return { sec, nsec: Math.round((ms - sec * 1000) * 1e6) };
}

/** Of a Date, or of seconds since 1970. */
export function timeOf(time: Date | number): Time {
  const ms = typeof time === 'number' ? time * 1000 : time.getTime();
  const sec = Math.floor(ms / 1000);
  return { sec, nsec: Math.min(999_999_999, Math.round((ms - sec * 1000) * 1e6)) };
}
