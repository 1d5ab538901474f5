// Blocking functions of fs on the event loop's own stack that have to wait: as node:fs' they hold it up. See fs.test.ts.
import { execFileSync, spawn } from 'node:child_process';
import nodeFs from 'node:fs';
import fs, { installFs } from '@libcr/syscalls/fs';

const [what, folder] = process.argv.slice(2);
({
  'readFileSync(0)': () => console.log(fs.readFileSync(0, 'utf8')),
  'readFileSync(0) of node:fs, under installFs()': () => {
    const guard = installFs();
    console.log(nodeFs.readFileSync(0, 'utf8'));
    guard.remove();
  },
  'readSync, again and again': () => {
    const buffer = Buffer.alloc(4);
    const parts = [];
    for (let n = fs.readSync(0, buffer); n > 0; n = fs.readSync(0, buffer))
      parts.push(buffer.toString('utf8', 0, n));
    console.log(parts.join(''));
  },
  'a FIFO': () => {
    const path = `${folder}/fifo`;
    execFileSync('mkfifo', [path]);
    spawn('sh', ['-c', `sleep 0.2; printf "through a pipe" > ${path}`], { stdio: 'ignore' });
    console.log(fs.readFileSync(path, 'utf8'));
  },
  'writeSync to a pipe that is full': () => {
    const much = 'x'.repeat(300_000);
    console.error(fs.writeSync(1, much));
  },
})[what]();
