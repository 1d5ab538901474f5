/**
 * own-scripts.ts: which JavaScript is this project's: what begins so is never preempted, as what it has begun must not be entered by others.
 */
import { fileURLToPath } from 'node:url';
import { native } from '../node/native.ts';

/** url: import.meta.url of a module; all in its folder, and below, is meant. For the packages of this project. */
export function ownScripts(url: string): void {
  const folder = new URL('.', url);
  // CommonJS is what is built, and V8 knows it by its path; ES modules, as the sources are to tests, by their URL.
  native.ownScripts(url.endsWith('.cjs') ? fileURLToPath(folder) : folder.href);
}
