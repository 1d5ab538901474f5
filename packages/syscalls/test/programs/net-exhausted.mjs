// Run with few descriptors (ulimit -n): accepting fails with EMFILE, and goes on when there are some again.
import { closeSync, openSync } from 'node:fs';
import net from 'node:net';
import { create, run, sleep, wait } from '@libcr/core';
import { listen } from '@libcr/syscalls/net';

function fill() {
  const fds = [];
  for (;;) {
    try {
      fds.push(openSync('/dev/null'));
    } catch (error) {
      if (error.code !== 'EMFILE') throw error;
      return fds;
    }
  }
}

await run(() => {
  const listener = listen({ host: '127.0.0.1' });
  const { port } = listener.address();
  const client = net.connect(port, '127.0.0.1');
  wait(new Promise((resolve) => client.once('connect', resolve)));
  const fds = fill();
  try {
    listener.accept();
  } catch (error) {
    console.log(error.message, JSON.stringify(error));
  }
  closeSync(fds.pop());
  const conn = listener.accept(); // the very connection that there was no descriptor for
  conn.write('at last');
  client.once('data', (text) => console.log(String(text)));
  wait(new Promise((resolve) => client.once('data', resolve)));
  conn.close();
  client.destroy();

  const second = net.connect(port, '127.0.0.1');
  wait(new Promise((resolve) => second.once('connect', resolve)));
  fds.push(...fill());
  const errors = [];
  const server = create(() =>
    listener.serve((served) => served.write('served'), { onError: (error) => errors.push(error.code) }),
  );
  while (errors.length < 2) sleep(1);
  const answer = new Promise((resolve) => second.once('data', resolve));
  for (const fd of fds) closeSync(fd);
  console.log(String(wait(answer)), new Set(errors));
  second.destroy();
  listener.close();
  server.join();
});
