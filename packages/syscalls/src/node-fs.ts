/**
 * node-fs.ts: node:fs as it was when this package was loaded. What libcr itself does with files does not go through the port, also where installFs()
 * (fs/install.ts) has put the port under node:fs: a trace that is written would be traced.
 */
import fs from 'node:fs';

export const nodeFs: typeof fs = { ...fs, promises: { ...fs.promises } };
