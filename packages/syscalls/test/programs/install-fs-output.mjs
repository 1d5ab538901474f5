// What is said on stdout or stderr (the argument), with the port under node:fs, and a full disk behind that. See fs.test.ts.
import fs from 'node:fs';
import { constants, defineShim, syscallPort } from '@libcr/syscalls';
import { installFs } from '@libcr/syscalls/fs';

syscallPort.shim(
  defineShim({ name: 'full', on: ['write', 'writev', 'pwrite64'], shim: () => () => -constants.ENOSPC }),
);
installFs();
const output = new console.Console({ stdout: process[process.argv[2]] });
output.log('before');
try {
  fs.writeSync(process[process.argv[2]].fd, 'what a shim sees');
} catch (error) {
  output.log(`by node:fs: ${error.code}`);
}
