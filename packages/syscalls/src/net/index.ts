/**
 * @libcr/syscalls/net: networking and time in blocking style, over the system calls that are messages: shims see all of it. For userthreads:
 * on thread0 whatever may have to wait throws ERR_LWKT_WOULD_BLOCK.
 */
import '../index.ts'; // for the bundle: see tsup.config.ts

export { withDeadline } from './deadline.ts';
export type { IpAddress, Where } from './sockets/address.ts';
export { Conn, type ConnOptions } from './sockets/conn.ts';
export { type Datagram, type DatagramOptions, DatagramSocket, datagram } from './sockets/datagram.ts';
export { type DialOptions, dial } from './sockets/dial.ts';
export { Listener, type ListenOptions, listen } from './sockets/listener.ts';
export type { Handler, ServeOptions } from './sockets/serve.ts';
export type { SocketError } from './sockets/socket-error.ts';
export { fromStream } from './streams/from-stream.ts';
export type { LineOptions } from './streams/lines.ts';
export type { DuplexStreamOptions } from './streams/node-streams.ts';
export { stream } from './streams/open.ts';
export { type ReadAllOptions, Stream } from './streams/stream.ts';
export { type TickerOptions, ticker } from './ticker.ts';
