// memcached with four threads under memcached-load: HOW SCRATCH. Nanoseconds of one request.
import { join } from 'node:path';
import { freePort, run, under, withServer } from './under.mjs';

const [how, scratch] = process.argv.slice(2);
const port = await freePort();
const server = ['memcached', '-u', 'root', '-t', '4', '-l', '127.0.0.1', '-p', port, '-U', '0'];
await withServer([...under(how), ...server], { port }, () => {
  process.stdout.write(run([join(scratch, 'memcached-load'), port]));
});
