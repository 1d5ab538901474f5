/**
 * lookup.ts: names to IP addresses. That is getaddrinfo's work, in Node's own helper threads: no system call of ours, so shims don't see it.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { wait } from '@libcr/core';
import { invalidValue } from '@libcr/core/internal';

/**
 * The addresses of a host, IPv6 and IPv4 by turns (RFC 8305), the system's first choice first. A literal address is its own. Blocks for
 * names only. Throws Node's errors: getaddrinfo ENOTFOUND. (getaddrinfo(3))
 */
export function addressesOf(host: string, family: 0 | 4 | 6 = 0): string[] {
  if (family !== 0 && family !== 4 && family !== 6)
    throw invalidValue(`options.family must be 0, 4 or 6. Received ${String(family)}`);
  if (isIP(host) !== 0) return [host];
  const found = wait(lookup(host, { all: true, family, verbatim: true }));
  const first = found.filter((entry) => entry.family === found[0]?.family);
  const second = found.filter((entry) => entry.family !== found[0]?.family);
  const byTurns: string[] = [];
  for (let i = 0; i < found.length; i++)
    for (const entry of [first[i], second[i]]) if (entry !== undefined) byTurns.push(entry.address);
  return byTurns;
}
