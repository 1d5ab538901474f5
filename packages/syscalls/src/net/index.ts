/**
 * @libcr/syscalls/net: networking and time in blocking style, over the system calls that are messages: shims see all of it. For userthreads:
 * on thread0 whatever may have to wait throws ERR_LWKT_WOULD_BLOCK.
 */
import '../index.ts'; // for the bundle: see tsup.config.ts

export type { IpAddress, Where } from './address.ts';
export { Conn, type ConnOptions } from './conn.ts';
export { type Datagram, type DatagramOptions, DatagramSocket, datagram } from './datagram.ts';
export { withDeadline } from './deadline.ts';
export { type DialOptions, dial } from './dial.ts';
export { fromStream } from './from-stream.ts';
export type { LineOptions } from './lines.ts';
export { Listener, type ListenOptions, listen } from './listener.ts';
export type { DuplexStreamOptions } from './node-streams.ts';
export { stream } from './open.ts';
export type { Handler, ServeOptions } from './serve.ts';
export type { SocketError } from './socket-error.ts';
export { type ReadAllOptions, Stream } from './stream.ts';
export { type TickerOptions, ticker } from './ticker.ts';
