/**
 * domains.ts: node:domain keeps the domains that have been entered on a stack of its own, as if there were one thread. A userthread leaves its own
 * before a switch, and enters them again after.
 *
 * The module is never loaded here: what it costs is for programs that use it (deprecated as it is; libraries of old do).
 */
import type { Domain } from 'node:domain';
import type { UserThread } from '../thread/userthread.ts';

interface DomainModule {
  /** Those that have been entered, the innermost last. */
  _stack: Domain[];
}

/** Test runners (Jest) have a copy of process as the global one. */
const real = process.getBuiltinModule('node:process');
/** That module sets it. process has a property `domain`, null, without it, too. */
const events = real.getBuiltinModule('node:events') as unknown as { usingDomains: boolean };
let domains: DomainModule | undefined;

/** Whether leaveDomains has anything to do. */
export let domainsAreUsed = false;

/** Called when a userthread begins. */
export function lookForDomains(): void {
  if (domainsAreUsed || !events.usingDomains) return;
  domains = real.getBuiltinModule('node:domain') as unknown as DomainModule;
  domainsAreUsed = Array.isArray(domains._stack);
}

/** Before td's switch. A pass begins in no domain, so all there are belong to the thread that runs. */
export function leaveDomains(td: UserThread): void {
  const { _stack: entered } = domains as DomainModule;
  if (entered.length === 0) return;
  td.domains = [...entered];
  (entered[0] as Domain).exit(); // and those inside
}

/** After td's switch. */
export function enterDomains(td: UserThread): void {
  const left = td.domains as Domain[];
  td.domains = undefined;
  for (const domain of left) domain.enter();
}
