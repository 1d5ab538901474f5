/**
 * register.ts: node --import @libcr/syscalls/register app.js: installs the shims of a configuration file on the program's port before the program
 * begins, for programs that nobody can change. It has no exports; to be imported is all that it does. Workers inherit --import, and have shims of
 * their own; those that are made from text inherit --require only.
 *
 * The file is the one that LIBCR_CONFIG names, or libcr.config.{json,mjs,js,cjs} in the working directory or the next one above that has one. Throws
 * ERR_LIBCR_CONFIG, which ends the process before the program begins.
 */
import './index.ts'; // for the bundle: see tsup.config.ts
import { resolve } from 'node:path';
import { findConfig, putUnderFs, readConfig } from './config/index.ts';
import { syscallPort } from './port/syscall-port.ts';

const file = process.env.LIBCR_CONFIG || findConfig(process.cwd());

if (file === undefined)
  process.emitWarning(
    'no libcr.config.json, .mjs, .js or .cjs in the working directory or above: no shim is installed (LIBCR_CONFIG names a file elsewhere)',
    { code: 'LIBCR_CONFIG' },
  );
else {
  // Workers that are started later find the same file, wherever the program has gone.
  process.env.LIBCR_CONFIG = resolve(file);
  const { shims, fs } = readConfig(file);
  syscallPort.shim(...shims);
  if (fs) void putUnderFs();
}
