/**
 * messages.ts: struct msghdr, with its address, its buffers and what goes along.
 *
 * Not here: how control messages are read (codec/control.ts).
 *
 * Invariant: an array that is no message is shown as other() does.
 */
import { type ControlMessage, decodeControl } from '../../codec/net/control.ts';
import { constants as c } from '../../generated/constants.ts';
import { flagNames } from './flags.ts';
import { sockaddrArgument } from './socket.ts';
import { iov } from './structs.ts';
import { ADDRESS, bytesOf, hexadecimal, other, quote } from './text.ts';

function control(message: ControlMessage): string {
  if (message.type === 'rights') {
    const { fds } = message;
    return `{cmsg_len=${16 + fds.length * 4}, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[${fds.join(', ')}]}`;
  }
  if (message.type === 'credentials') {
    const { pid, uid, gid } = message;
    return `{cmsg_len=28, cmsg_level=SOL_SOCKET, cmsg_type=SCM_CREDENTIALS, cmsg_data={pid=${pid}, uid=${uid}, gid=${gid}}}`;
  }
  const { level, type, data } = message;
  return `{cmsg_len=${16 + data.length}, cmsg_level=${hexadecimal(level)}, cmsg_type=${hexadecimal(type)}, cmsg_data=${quote(data, 32)}}`;
}

/** length: the bytes of data that are shown; below 0 where the call has failed, and what the kernel would have written is not. */
export function message(value: unknown, length: number, limit: number, out: boolean): string {
  if (!Array.isArray(value) || value.length !== 4) return other(value);
  const [name, buffers, controls, header] = value as unknown[];
  if (!Array.isArray(buffers) || !ArrayBuffer.isView(header)) return other(value);
  if (out && length < 0) return ADDRESS;
  const said = bytesOf(header);
  const parts: string[] = [];
  if (ArrayBuffer.isView(name)) {
    const size = out ? said.readUInt32LE(0) : name.byteLength;
    const address = size === 0 ? 'NULL' : sockaddrArgument(bytesOf(name), size, false);
    parts.push(`msg_name=${address}, msg_namelen=${size}`);
  } else parts.push('msg_name=NULL, msg_namelen=0');
  parts.push(
    `msg_iov=${iov(buffers, out ? length : Number.POSITIVE_INFINITY, limit)}, msg_iovlen=${buffers.length}`,
  );
  if (ArrayBuffer.isView(controls)) {
    const size = out ? said.readUInt32LE(4) : controls.byteLength;
    const list = decodeControl(bytesOf(controls), size);
    if (list.length > 0) parts.push(`msg_control=[${list.map(control).join(', ')}]`);
    parts.push(`msg_controllen=${size}`);
  } else parts.push('msg_controllen=0');
  parts.push(`msg_flags=${out ? flagNames('message', said.readUInt32LE(8)) : 0}`);
  return `{${parts.join(', ')}}`;
}

/** The first count of sendmmsg's or recvmmsg's. */
export function messages(list: readonly unknown[], count: number, limit: number, out: boolean): string {
  if (out && count < 0) return ADDRESS;
  const shown = out ? list.slice(0, count) : list;
  const parts = shown.map((value, i) => {
    const header = Array.isArray(value) ? (value[3] as unknown) : undefined;
    const length = ArrayBuffer.isView(header) ? bytesOf(header).readUInt32LE(12) : 0;
    const text = message(value, length, limit, out);
    return i < count ? `{msg_hdr=${text}, msg_len=${length}}` : `{msg_hdr=${text}}`;
  });
  return `[${parts.join(', ')}]`;
}

/** getsockopt's value. */
export function optionOut(bytes: Buffer, length: unknown, limit: number, args: readonly unknown[]): string {
  const size = ArrayBuffer.isView(length)
    ? Math.min(bytesOf(length).readInt32LE(0), bytes.length)
    : bytes.length;
  if (size === 4) return `[${bytes.readInt32LE(0)}]`;
  if (args[1] === c.SOL_SOCKET && args[2] === c.SO_PEERCRED && size === 12)
    return `{pid=${bytes.readInt32LE(0)}, uid=${bytes.readUInt32LE(4)}, gid=${bytes.readUInt32LE(8)}}`;
  return quote(bytes.subarray(0, size), limit);
}
