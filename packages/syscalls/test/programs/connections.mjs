// An echo server of userthreads and its clients, two processes: "server" prints its port and serves until it is killed; "clients PORT COUNT" opens
// all connections, then sends on each, then reads on each, three times over. See connections.test.ts.
import { create, run } from '@libcr/core';
import { constants as c, sys } from '@libcr/syscalls';

const [what, port, count] = process.argv.slice(2);
const ROUNDS = 3;
const AT_ONCE = 200;

function serve(fd) {
  const buffer = Buffer.alloc(64);
  for (;;) {
    const { length } = sys.recvfrom(fd, buffer);
    if (length === 0) break;
    sys.sendto(fd, buffer.subarray(0, length), c.MSG_NOSIGNAL);
  }
  sys.close(fd);
}

function server() {
  const listener = sys.socket(c.AF_INET, c.SOCK_STREAM);
  sys.bind(listener, { family: 'inet', address: '127.0.0.1', port: 0 });
  sys.listen(listener, 4096);
  console.log(sys.getsockname(listener).port);
  for (;;) {
    const { fd } = sys.accept4(listener);
    create(() => serve(fd));
  }
}

function clients() {
  const fds = [];
  const connecting = Array.from({ length: AT_ONCE }, () =>
    create(() => {
      while (fds.length < Number(count)) {
        const fd = sys.socket(c.AF_INET, c.SOCK_STREAM);
        fds.push(fd);
        sys.connect(fd, { family: 'inet', address: '127.0.0.1', port: Number(port) });
      }
    }),
  );
  for (const td of connecting) td.join();
  const buffer = Buffer.alloc(64);
  let echoed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const fd of fds) sys.sendto(fd, `${round}:${fd}`);
    for (const fd of fds) {
      const { length } = sys.recvfrom(fd, buffer);
      if (buffer.toString('latin1', 0, length) === `${round}:${fd}`) echoed++;
    }
  }
  for (const fd of fds) sys.close(fd);
  console.log(`${fds.length} connections, ${echoed} echoes`);
}

await run(what === 'server' ? server : clients);
