// Writes to descriptors 1 and 2, recorded or replayed. See record.test.ts.
import { create, run } from '@libcr/core';
import { sys } from '@libcr/syscalls';
import { record } from '@libcr/syscalls/shims/record';
import { replay } from '@libcr/syscalls/shims/replay';

const [how, file] = process.argv.slice(2);
const shim = how === 'record' ? record({ file }) : replay({ file, output: how });

await run(() => {
  const program = () => {
    sys.write(1, Buffer.from('to 1\n'));
    sys.writev(2, [Buffer.from('to 2, '), Buffer.from('in two parts\n')]);
  };
  create(program, { syscallPort: sys.with(shim) }).join();
});
if (how === 'record') shim.close();
else shim.finish();
