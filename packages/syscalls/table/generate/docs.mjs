/** docs.mjs: docs/syscalls.md: every call, how far it goes and how it blocks. */
import { calls, notice, page } from './table.mjs';

const LEVELS = {
  full: '`sys.NAME`, `sys.promises.NAME` and `sys.raw`; results are decoded',
  raw: "`sys.raw` only: arguments are checked, structs are buffers of the kernel's layout",
  refused:
    'not made: `sys.NAME` throws `ERR_LIBCR_REFUSED` and says what to use instead, `sys.raw` answers -1 with `ENOSYS`. A shim may answer it',
  obsolete: 'the kernel itself has no such call any more: `sys.raw` answers -1 with `ENOSYS`',
};

const BLOCKS = {
  never: 'at once, or as soon as a local file system does',
  read: 'in place without waiting, else it waits: readiness for pipes and sockets, a helper thread for disks',
  write: 'as read',
  recv: 'in place without waiting, else readiness',
  send: 'in place without waiting, else readiness',
  recvmsg: 'in place without waiting, else readiness',
  sendmsg: 'in place without waiting, else readiness',
  accept: 'in place without waiting, else readiness',
  connect: 'in place without waiting, else readiness',
  open: 'in place without waiting, else a helper thread (a FIFO, a lease)',
  poll: 'in place with no timeout, else readiness and a timer',
  epoll: 'in place with no timeout, else readiness and a timer',
  select: 'in place with no timeout, else readiness and a timer',
  lock: 'in place without waiting, else a helper thread',
  splice: 'in place without waiting, else a helper thread',
  wait: 'in place without waiting, else a helper thread',
  offload: 'always on a helper thread',
  device: 'always on a helper thread; it waits for a device only',
  sleep: 'a timer of the event loop',
};

const count = (level) => calls.filter((row) => row.level === level).length;
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function line(row) {
  const doc = row.level === 'refused' ? `${row.doc} ${row.reason} Instead: ${row.alternative}.` : row.doc;
  const ring = row.ring ? `\`${row.ring.replace('IORING_OP_', '')}\`` : '';
  return `| ${row.number} | \`${row.name}\` | ${row.level} | ${row.level === 'refused' ? '' : (row.block ?? '')} | ${ring} | ${cell(doc)} |`;
}

export function docsFile() {
  const aarch64 = calls.filter(({ numbers }) => numbers.aarch64 !== null).length;
  return `# System calls

<!-- ${notice} -->

The ${calls.length} system calls of Linux on x86-64, up to version 6.18 and one of 6.19. Those that the running kernel does not have
answer \`ENOSYS\`. ${aarch64} of them exist on aarch64, too: the table has their numbers there.

| level | calls | |
| --- | --- | --- |
${Object.entries(LEVELS)
  .map(([level, text]) => `| ${level} | ${count(level)} | ${text} |`)
  .join('\n')}

How a call waits:

| class | |
| --- | --- |
${Object.entries(BLOCKS)
  .map(([block, text]) => `| ${block} | ${text} |`)
  .join('\n')}

A call that belongs to the kernel thread, as \`gettid\` or \`sched_setaffinity\`, belongs to all userthreads of the rfork, which
share it, and to no helper thread. The column "ring" has the operation of io_uring that does the same (\`IORING_OP_…\`).

Flags are numbers of \`constants\`. 64-bit values: sizes, offsets, counts and times are numbers, which are exact up to
2<sup>53</sup>; inode numbers, masks and attributes of 64 bits are bigint, and so are times in one number of nanoseconds
(\`mtimeNs\`). Arguments of 64 bits take both.

| number | call | level | blocks | ring | |
| --- | --- | --- | --- | --- | --- |
${calls.map(line).join('\n')}

The pages of section 2 of the manual say the rest, as ${page(calls[0])}.
`;
}
