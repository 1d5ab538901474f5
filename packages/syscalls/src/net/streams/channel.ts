/** channel.ts: what a Stream reads from and writes to: a descriptor (fd-channel.ts) or a stream of Node's (node-channel.ts). */

export interface Channel {
  /** Reads into target, which is not empty: at least a byte, or 0 at the end. Blocks. */
  read(target: Uint8Array): number;
  /** Writes all of data. Blocks. An error says in bytesTransferred what was written before it. */
  write(data: Uint8Array): void;
  /** Waits until what was written has gone on its way. */
  flush(): void;
  /** Says "no more" to the peer. May block. */
  endWriting(): void;
  /** Gives it up. Does not block. Called once, when nobody is in another call. */
  close(): void;
}

/** How much was moved before an error. */
export function moved(error: unknown): number {
  return (error as { bytesTransferred?: number } | undefined)?.bytesTransferred ?? 0;
}
