/** index.ts: @libcr/nats, ports across machines. */
export type { Stored } from './durable/sender.ts';
export type { StoreOptions } from './durable/store.ts';
export { DurableMsg, type DurableStats } from './durable/taker.ts';
export type { NatsErrorCode } from './errors.ts';
export type { Encoding } from './payload.ts';
export { type ConnectOptions, connect, type RemotePortStats, statsOf } from './remote-port.ts';
export { type DurableOptions, type ServedPort, type ServedStats, type ServeOptions, serve } from './serve.ts';
