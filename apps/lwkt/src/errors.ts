/**
 * errors.ts: the two kinds of failure that are lwkt's own and not the script's. Both are printed as one line;
 * anything else that is thrown in here is a bug and shows its stack.
 */

/** The command line is wrong: exit status 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** The command line is right but cannot be done: exit status 1. */
export class Failure extends Error {
  override readonly name: string = 'Failure';
}
