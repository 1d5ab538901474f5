// Serves the system calls of others on a file system in memory: files-server.mjs URL NAME. Prints a line when it does; on its standard input's end, another: what is left.
import { serveSyscalls } from '@libcr/nats/syscalls';
import { memfs } from '@libcr/syscalls/shims/memfs';
import { connect } from '@nats-io/transport-node';

const [url, name] = process.argv.slice(2);
const nc = await connect({ servers: url });
const files = memfs({ '/shared': { motd: 'elsewhere\n' } });
const served = await serveSyscalls(nc, name, { shims: [files] });
console.log('serves');
for await (const line of process.stdin) {
  if (String(line).trim() === 'left') console.log(JSON.stringify({ ...served.stats, files: files.toJSON() }));
}
await served.stop();
await nc.close();
