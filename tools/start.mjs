// `npm start [ARGS…]`: builds what is out of date, quietly, then runs the example that shows libcr best.
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, encoding: 'utf8' });
if (built.status !== 0) {
  process.stderr.write(`${built.stdout}${built.stderr}\nstart: the build failed\n`);
  process.exit(1);
}

const args = process.argv.length > 2 ? process.argv.slice(2) : ['node_modules'];
const command = ['apps/lwkt/dist/cli.js', 'run', 'apps/examples/treesum/treesum.ts', ...args];
const child = spawn(process.execPath, command, { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (status, signal) => process.exit(status ?? 128 + constants.signals[signal]));
