// node:fs with the port under it: code that knows nothing of it sees files that are in memory. See fs.test.ts.
import fs, { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { syscallPort } from '@libcr/syscalls';
import { installFs } from '@libcr/syscalls/fs';
import { memfs } from '@libcr/syscalls/shims/memfs';
import { trace } from '@libcr/syscalls/shims/trace';

const before = fs.readFileSync;
const file = join(tmpdir(), `libcr-install-${process.pid}`);
const tree = memfs({
  '/memory': { file: 'in memory' },
});
const shims = syscallPort.shim(trace({ output: file }), tree);
const one = installFs();
const two = installFs();

const code = (fn) => {
  try {
    return fn();
  } catch (error) {
    return error.code;
  }
};
let stream = '';
const result = {
  sync: fs.readFileSync('/memory/file', 'utf8'),
  named: readFileSync('/memory/file', 'utf8'),
  promise: await readFile('/memory/file', 'utf8'),
  callback: await new Promise((resolve) =>
    fs.readFile('/memory/file', 'utf8', (_error, text) => resolve(text)),
  ),
};
for await (const chunk of fs.createReadStream('/memory/file')) stream += chunk;
result.stream = stream;
one.remove();
one.remove();
two.remove();
shims.remove();
result.back = [code(() => fs.readFileSync('/memory/file')), code(() => readFileSync('/memory/file'))];
result.same = fs.readFileSync === before;
setImmediate(() => {
  result.traced = fs.readFileSync(file, 'utf8').includes('open("/memory/file"');
  fs.unlinkSync(file);
  console.log(JSON.stringify(result));
});
