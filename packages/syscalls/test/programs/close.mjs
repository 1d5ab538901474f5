// fs.close without a callback: it closes, and what fails is an uncaught exception.
import nodeFs from 'node:fs';
import fs from '@libcr/syscalls/fs';

const fd = nodeFs.openSync('/', 'r');
process.on('uncaughtException', ({ code, syscall }) => console.log(code, syscall));
console.log(
  fs.close(fd),
  fs.close(fd, undefined),
  fs.close(fd, () => console.log('told')),
);
process.on('exit', () => {
  // Its number may be somebody else's by now.
  const open = nodeFs.readdirSync('/proc/self/fd').map((own) => {
    try {
      return nodeFs.readlinkSync(`/proc/self/fd/${own}`);
    } catch {
      return 'closed'; // the folder's own
    }
  });
  console.log(open.includes('/') ? 'open' : 'closed');
});
for (const wrong of [[fd, null], [fd, 1], ['1'], [-1]])
  try {
    fs.close(...wrong);
  } catch ({ code }) {
    console.log(code);
  }
