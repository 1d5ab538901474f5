// The echo servers of the echo rows in JavaScript: "sys", a userthread for each connection in blocking style, or "net", node:net. Prints its port.
import { createServer } from 'node:net';

async function userthreads() {
  const { create, run } = await import('@libcr/core');
  const { constants: c, sys } = await import('@libcr/syscalls');
  const serve = (fd) => {
    const buffer = Buffer.alloc(65_536);
    try {
      for (;;) {
        const length = sys.read(fd, buffer);
        if (length === 0) break;
        sys.write(fd, buffer, length);
      }
    } catch (error) {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error;
    }
    sys.close(fd);
  };
  await run(() => {
    const listener = sys.socket(c.AF_INET, c.SOCK_STREAM);
    sys.bind(listener, { family: 'inet', address: '127.0.0.1', port: 0 });
    sys.listen(listener, 4096);
    console.log(sys.getsockname(listener).port);
    for (;;) {
      const { fd } = sys.accept4(listener);
      create(() => serve(fd));
    }
  });
}

function net() {
  const server = createServer({ noDelay: false }, (socket) => {
    socket.on('data', (data) => socket.write(data));
    socket.on('error', () => socket.destroy());
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => console.log(server.address().port));
}

await { sys: userthreads, net }[process.argv[2]]();
