/** index.ts: shims from configuration files, and by name: what register.ts and the lwkt command install. */
import '../index.ts'; // for the bundle: see tsup.config.ts

export { isFile, ownShims } from './own.ts';
export { type Config, findConfig, readConfig } from './read.ts';
export { readyMade, readyMadeShim } from './ready-made.ts';
export { putUnderFs } from './under-fs.ts';
