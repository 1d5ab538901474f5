#!/usr/bin/env node
/**
 * lwkt.js: the lwkt command, which is dist/cli.js. npm links a command only if its file is there when it installs, and in
 * a checkout dist/ is built later: so this file stands between, and is no more than a way to it.
 */
import { existsSync } from 'node:fs';

const cli = new URL('../dist/cli.js', import.meta.url);
if (existsSync(cli)) await import(cli.href);
else {
  process.stderr.write('lwkt: it is not built yet: run "npm run build" first\n');
  process.exitCode = 1;
}
