/**
 * preload.ts: what rforks do before they load their module: for programs that run others (lwkt run), whose way of loading has to hold there, too.
 * Not for programs themselves: their modules import what they need.
 */
import { orders } from './self.ts';

/** A module whose default export is called with the URL of the rfork's module, and data; what it returns is waited for. */
export interface Preload {
  url: string;
  /** Goes there by structured clone. */
  data: unknown;
}

/** Of this rfork, and so of those that it starts. */
export const preloads: Preload[] = [...(orders?.preloads ?? [])];

/** For rforks that are started from now on, by this one and by those. */
export function preload(url: string, data?: unknown): void {
  preloads.push({ url, data });
}

/** In a new rfork. */
export async function runPreloads(module: string): Promise<void> {
  for (const { url, data } of preloads) {
    const { default: run } = (await import(url)) as { default(module: string, data: unknown): unknown };
    await run(module, data);
  }
}
