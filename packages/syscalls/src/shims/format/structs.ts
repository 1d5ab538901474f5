/**
 * structs.ts: the kernel's structs in a buffer: stat, statx, pollfd, epoll_event, iovec, directory entries.
 *
 * Not here: how they are read (codec/), fcntl's structs (fcntl.ts) and addresses (socket.ts).
 *
 * Invariant: bytes are never read past the buffer's end. Where they are too few for the struct, the decoder
 * may throw: argument.ts catches it, and shows the bytes. pollfds() shows the entries that are whole, as
 * reply.ts has nobody who catches.
 */
import { decodeDirents } from '../../codec/file/dirent.ts';
import { decodeStat } from '../../codec/file/stat.ts';
import { decodeStatx } from '../../codec/file/statx.ts';
import { decodeEpollEvents } from '../../codec/net/epoll.ts';
import { constants as c } from '../../generated/constants.ts';
import { flagNames, joined, type Names } from './flags.ts';
import { ADDRESS, bytesOf, octal, other, quote } from './text.ts';

const STATX_ATTRIBUTES: Names = [
  ['STATX_ATTR_COMPRESSED', 4],
  ['STATX_ATTR_IMMUTABLE', 0x10],
  ['STATX_ATTR_APPEND', 0x20],
  ['STATX_ATTR_NODUMP', 0x40],
  ['STATX_ATTR_ENCRYPTED', 0x800],
  ['STATX_ATTR_AUTOMOUNT', 0x1000],
  ['STATX_ATTR_MOUNT_ROOT', 0x2000],
  ['STATX_ATTR_VERITY', 0x100000],
  ['STATX_ATTR_DAX', 0x200000],
];

/** S_IFREG|0644, S_IFDIR|S_ISVTX|0777 */
export function fileMode(mode: number): string {
  const type = mode & c.S_IFMT;
  const parts = type === 0 ? [] : [flagNames('fileType', type)];
  for (const name of ['S_ISUID', 'S_ISGID', 'S_ISVTX'] as const) if ((mode & c[name]) !== 0) parts.push(name);
  return [...parts, octal(mode & 0o777)].join('|');
}

export function iov(buffers: readonly unknown[], length: number, limit: number): string {
  if (length < 0) return ADDRESS;
  let left = length;
  const parts = buffers.map((buffer) => {
    if (!ArrayBuffer.isView(buffer)) return other(buffer);
    const bytes = bytesOf(buffer, left);
    left -= bytes.length;
    return `{iov_base=${quote(bytes, limit)}, iov_len=${buffer.byteLength}}`;
  });
  return `[${parts.join(', ')}]`;
}

export function epollEvents(bytes: Buffer, count: number): string {
  const events = decodeEpollEvents(bytes, count).map(({ events: bits, data }) => {
    const u64 = BigInt.asUintN(64, BigInt(data));
    return `{events=${flagNames('epollEvent', bits)}, data={u32=${BigInt.asUintN(32, u64)}, u64=${u64}}}`;
  });
  return `[${events.join(', ')}]`;
}

/** What was asked: [{fd=3, events=POLLIN}]. What has happened: [{fd=3, revents=POLLIN}]. */
export function pollfds(bytes: Buffer, count: number, shown: 'events' | 'revents'): string {
  const list: string[] = [];
  for (let at = 0; at < Math.min(count * 8, bytes.length - 7); at += 8) {
    const fd = bytes.readInt32LE(at);
    const bits = bytes.readUInt16LE(at + (shown === 'events' ? 4 : 6));
    if (shown === 'events' && fd < 0) list.push(`{fd=${fd}}`);
    else if (shown === 'events' || bits !== 0) list.push(`{fd=${fd}, ${shown}=${flagNames('poll', bits)}}`);
  }
  return `[${list.join(', ')}]`;
}

/** makedev(0x1, 0x3), as the kernel packs it. */
export function device(number: number): string {
  const bits = BigInt(number);
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n);
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n);
  return `makedev(0x${major.toString(16)}, 0x${minor.toString(16)})`;
}

/** What the kernel has written. */
export function struct(format: string, bytes: Buffer, reply: number, otherwise: string): string {
  switch (format) {
    case 'stat': {
      const stat = decodeStat(bytes);
      const type = stat.mode & c.S_IFMT;
      const what =
        type === c.S_IFCHR || type === c.S_IFBLK ? `st_rdev=${device(stat.rdev)}` : `st_size=${stat.size}`;
      return `{st_mode=${fileMode(stat.mode)}, ${what}, ...}`;
    }
    case 'statx': {
      const { mask, attributes, mode, size } = decodeStatx(bytes);
      const bits = joined(STATX_ATTRIBUTES, Number(BigInt.asUintN(32, attributes)));
      return `{stx_mask=${flagNames('statx', mask)}, stx_attributes=${bits}, stx_mode=${fileMode(mode)}, stx_size=${size}, ...}`;
    }
    case 'pair':
      return `[${bytes.readInt32LE(0)}, ${bytes.readInt32LE(4)}]`;
    case 'dirents':
      return `${ADDRESS} /* ${decodeDirents(bytes, reply, 'buffer').length} entries */`;
    case 'epollEvents':
      return epollEvents(bytes, reply);
    default:
      return otherwise;
  }
}
