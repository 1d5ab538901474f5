// A program whose files are another's: files-client.mjs URL NAME FILE [TEXT]. Appends the text to the file, or prints what it has.
import { create } from '@libcr/core';
import { remote } from '@libcr/nats/syscalls';
import { constants, sys } from '@libcr/syscalls';
import { connect } from '@nats-io/transport-node';

const [url, name, file, text] = process.argv.slice(2);
const files = remote(await connect({ servers: url }), name, { ownsConnection: true });

function main() {
  if (text !== undefined) {
    const fd = sys.open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, 0o644);
    sys.write(fd, Buffer.from(text));
    sys.close(fd);
    return '';
  }
  const fd = sys.open(file, constants.O_RDONLY);
  const buffer = Buffer.alloc(1000);
  return buffer.toString('utf8', 0, sys.read(fd, buffer)); // it ends with the file open
}

console.log(await create(main, { syscallPort: sys.with(files) }).finished);
files.close();
