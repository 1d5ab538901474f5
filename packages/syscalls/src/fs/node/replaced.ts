/**
 * replaced.ts: the functions of node:fs as a program has them by now: what it has put in the place of one of ours (a spy, graceful-fs), here or on node:fs while
 * that is ours, is what streams and whole-file operations call, as node:fs' do.
 *
 * Not here: putting ours on node:fs (install.ts).
 */
import nodeFs from 'node:fs';

// biome-ignore lint/suspicious/noExplicitAny: whatever stands there
type Functions = Record<string, (...args: any[]) => any>;

let exported: Functions = {};
let own: Functions = {};
let installed = false;

/** This package's node:fs, before anybody has changed it. */
export function setExported(functions: object): void {
  exported = functions as Functions;
  own = { ...exported };
}

export function setInstalled(on: boolean): void {
  installed = on;
}

/** What somebody has put there; undefined where it is ours. */
export function replacement(name: string): Functions[string] | undefined {
  if (exported[name] !== own[name]) return exported[name];
  if (!installed) return undefined;
  const now = (nodeFs as unknown as Functions)[name];
  return now === own[name] ? undefined : now;
}

export function current(name: string): Functions[string] {
  return replacement(name) ?? (own[name] as Functions[string]);
}
