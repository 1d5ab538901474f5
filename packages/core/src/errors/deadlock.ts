/**
 * deadlock.ts: when the event loop has run dry, userthreads that still wait can never run again: nothing is left that would wake them.
 * This says so, as Node does of a top-level await that never settles: a warning, and exit code 13.
 */

import { orders } from '../rfork/self.ts';
import { thread0 } from '../thread/block.ts';
import { userthreads } from '../thread/scheduler.ts';
import { describe, type UserThread } from '../thread/userthread.ts';

/** What Node uses for an unsettled top-level await. */
const EXIT_DEADLOCK = 13;

let watching = false;
const reported = new WeakSet<UserThread>();

/** In an rfork of new Rfork()'s, waits for messages of others, perhaps: which is no reason for it to go on, and no deadlock either. */
function servesOthers(td: UserThread): boolean {
  return orders !== undefined && td.waitingOn !== undefined && td.waitingOn.exportedAs !== 0;
}

function report(): void {
  const stuck = userthreads().filter(
    (td) => td !== thread0 && td.state === 'blocked' && !td.daemon && !servesOthers(td) && !reported.has(td),
  );
  if (stuck.length === 0) return;
  const shown = stuck.slice(0, 20).map((td) => {
    reported.add(td);
    return `userthread ${describe(td)} waits for: ${td.waitReason}\n${td.stack ?? ''}`;
  });
  if (stuck.length > shown.length) shown.push(`… and ${stuck.length - shown.length} more`);
  process.emitWarning(
    `${stuck.length} userthread${stuck.length === 1 ? ' waits' : 's wait'} for something that can no longer happen: the event loop has nothing left to do`,
    { type: 'DeadlockWarning', code: 'LWKT_DEADLOCK', detail: shown.join('\n') },
  );
  process.exitCode ||= EXIT_DEADLOCK;
}

/** From the first userthread on. */
export function watchForDeadlock(): void {
  if (watching) return;
  watching = true;
  process.on('beforeExit', report);
}
