/**
 * echo.ts: a server that sends back what it gets: a userthread for each connection, which reads and writes in blocking style. SIGINT and
 * SIGTERM let it end in order: connections that are there are served to their end.
 */
import { type IpAddress, listen } from '@libcr/syscalls/net';

const port = Number(process.argv[2] ?? 0);

const listener = listen({ port, host: '127.0.0.1' });
console.log(`echo: port ${(listener.address() as IpAddress).port}`);
const stop = (): void => listener.close();
process.once('SIGINT', stop).once('SIGTERM', stop);

let bytes = 0;
listener.serve((conn) => {
  for (const chunk of conn) {
    conn.write(chunk);
    bytes += chunk.length;
  }
});
console.log(`echo: ${bytes} bytes`);
