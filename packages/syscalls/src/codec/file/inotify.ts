/** inotify.ts: struct inotify_event, one after the other in what a read gives (inotify(7)). */

export interface InotifyEvent<Name extends string | Buffer = string> {
  /** inotify_add_watch's answer; -1 for IN_Q_OVERFLOW. */
  watch: number;
  /** IN_*. */
  mask: number;
  /** The same number in IN_MOVED_FROM and IN_MOVED_TO of one rename. */
  cookie: number;
  /** In a watched directory; empty for what is watched itself. */
  name: Name;
}

const HEADER = 16;

/** The first length bytes of view. Events that do not fit together end the list. Names are text (UTF-8), or, with 'buffer', the bytes themselves. */
export function decodeInotifyEvents(view: NodeJS.ArrayBufferView, length: number): InotifyEvent[];
export function decodeInotifyEvents(
  view: NodeJS.ArrayBufferView,
  length: number,
  encoding: 'buffer',
): InotifyEvent<Buffer>[];
export function decodeInotifyEvents(
  view: NodeJS.ArrayBufferView,
  length: number,
  encoding?: 'buffer',
): InotifyEvent<string | Buffer>[] {
  const bytes = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, Math.min(length, view.byteLength));
  const events: InotifyEvent<string | Buffer>[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const end = at + HEADER + bytes.readUInt32LE(at + 12);
    if (end > bytes.length) break;
    const padded = bytes.subarray(at + HEADER, end);
    const nul = padded.indexOf(0);
    const name = padded.subarray(0, nul < 0 ? padded.length : nul);
    events.push({
      watch: bytes.readInt32LE(at),
      mask: bytes.readUInt32LE(at + 4),
      cookie: bytes.readUInt32LE(at + 8),
      name: encoding === 'buffer' ? Buffer.from(name) : name.toString(),
    });
    at = end;
  }
  return events;
}
