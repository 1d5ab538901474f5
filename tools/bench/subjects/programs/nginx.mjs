// nginx with two workers under ab, 32 connections that are kept: HOW SCRATCH. Nanoseconds of one request.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { report } from '../../sample.mjs';
import { freePort, perSecond, run, under, withServer } from './under.mjs';

const REQUESTS = '60000';
const [how, scratch] = process.argv.slice(2);
const port = await freePort();
const folder = join(scratch, 'nginx');
mkdirSync(join(folder, 'temporary'), { recursive: true });
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
  (name) => `${name}_temp_path temporary;`,
);
writeFileSync(join(folder, 'index.html'), 'hello\n'.repeat(100));
writeFileSync(
  join(folder, 'nginx.conf'),
  `worker_processes 2; pid nginx.pid; error_log stderr crit; daemon off; user root;
   events { worker_connections 256; }
   http { access_log off; keepalive_requests 1000000; ${temporary.join(' ')}
     server { listen 127.0.0.1:${port}; location / { root ${folder}; } } }`,
);
const server = ['nginx', '-p', `${folder}/`, '-c', 'nginx.conf'];
await withServer([...under(how), ...server], { port, signal: 'SIGQUIT' }, () => {
  const text = run(['ab', '-q', '-k', '-c', '32', '-n', REQUESTS, `http://127.0.0.1:${port}/index.html`]);
  if (!/Failed requests: +0\n/.test(text) || /Non-2xx/.test(text)) throw new Error(text);
  report(perSecond(text, /Requests per second: +([\d.]+)/));
});
