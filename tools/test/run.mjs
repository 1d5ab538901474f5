// The tests of all packages, one after the other, by turbo; and at the very end once more what failed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { failuresIn, saysFailed } from './failures.mjs';

const turbo = ['run', '--silent', 'turbo', '--', 'test', '--only', '--concurrency=1', '--continue'];
const child = spawn('npm', [...turbo, ...process.argv.slice(2)], { stdio: ['inherit', 'pipe', 'pipe'] });
const printed = new Map(); // by package; turbo puts its name before each line
for (const stream of ['stdout', 'stderr']) {
  child[stream].pipe(process[stream]);
  createInterface({ input: child[stream] }).on('line', (line) => {
    const [, name, text] = /^(\S+):test: (.*)$/.exec(line) ?? [];
    if (name) printed.set(name, `${printed.get(name) ?? ''}${text}\n`);
  });
}
const [status] = await once(child, 'close');

const failed = [...printed].filter(([, text]) => saysFailed(text));
for (const [name, text] of status === 0 ? [] : failed)
  console.log(`\n=== FAILED: ${name}\n${failuresIn(text, failed.length).join('\n')}`);
process.exitCode = status ?? 1;
