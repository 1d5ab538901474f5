/**
 * own-scripts.ts: which JavaScript is this project's: what begins so is never preempted, as what it has begun must not be entered by others.
 */
import { native } from '../native.ts';

/** url: import.meta.url of a module; all in its folder, and below, is meant. For the packages of this project. */
export function ownScripts(url: string): void {
  native.ownScripts(new URL('.', url).href);
}
