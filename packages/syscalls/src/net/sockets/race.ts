/** race.ts: several attempts, one begun after the other, of which the first to succeed counts. (RFC 8305, "Happy Eyeballs") */
import { create, curthread, type UserThread } from '@libcr/core';
import { blockUntil, type CodedError, wake } from '@libcr/core/internal';

/**
 * Makes the attempts, each on a userthread of its own: the next one when one has failed, or when delay milliseconds have passed. Answers the
 * first success; the others are aborted, and what they made nevertheless goes to dispose. If all fail: an AggregateError, in the order of the
 * attempts. Blocks.
 */
export function race<R>(attempts: readonly (() => R)[], delay: number, dispose: (late: R) => void): R {
  const me = curthread();
  const running = new Map<number, UserThread>();
  const errors: Error[] = [];
  let failed = 0;
  let over = false;
  let success: { value: R } | undefined;
  let impatient = false;

  const begin = (attempt: () => R, i: number): void => {
    const td = create(
      () => {
        try {
          const value = attempt();
          if (over || success !== undefined) dispose(value);
          else success = { value };
        } catch (error) {
          errors[i] = error as Error;
          failed++;
        } finally {
          running.delete(i);
          wake(me);
        }
      },
      { name: `${me.name}: attempt ${i + 1}` },
    );
    running.set(i, td);
  };

  try {
    for (const [i, attempt] of attempts.entries()) {
      begin(attempt, i);
      const failures = failed;
      impatient = false;
      const timer = setTimeout(() => {
        impatient = i < attempts.length - 1;
        wake(me);
      }, delay);
      try {
        blockUntil('dial()', () => success !== undefined || impatient || failed > failures);
      } finally {
        clearTimeout(timer);
      }
      if (success !== undefined) return (success as { value: R }).value;
    }
    blockUntil('dial()', () => success !== undefined || running.size === 0);
    if (success !== undefined) return (success as { value: R }).value;
  } finally {
    over = true;
    for (const td of running.values()) td.abort('another attempt has succeeded, or the caller has given up');
  }
  const [first] = errors;
  throw Object.assign(new AggregateError(errors, errors.map(({ message }) => message).join('; ')), {
    code: (first as CodedError).code,
  });
}
