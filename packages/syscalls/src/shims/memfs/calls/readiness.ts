/**
 * readiness.ts: waiting for files in memory, which are always ready, as regular files are: poll and select answer so, epoll refuses them.
 * (poll(2), select(2), epoll_ctl(2))
 */
import { constants as c } from '../../../generated/constants.ts';
import { SysMsg } from '../../../port/sysmsg.ts';
import { bytesOf, type Call, type Handlers, pass } from '../call.ts';

const POLLFD = 8;
/** POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM. */
const ALWAYS = c.POLLIN | c.POLLOUT | 0x40 | 0x100;

/** poll and ppoll. The level below sees files in memory as -1, which it leaves out, and doesn't wait if one of them is ready. */
function poll(call: Call, none: unknown): number {
  const { volume, msg, next } = call;
  const [given, count] = msg.args;
  if (
    !ArrayBuffer.isView(given) ||
    !(Number.isInteger(count) && (count as number) >= 0 && (count as number) * POLLFD <= given.byteLength)
  )
    return pass(call);
  const length = (count as number) * POLLFD;
  const view = new DataView(given.buffer, given.byteOffset, length);
  const ours = new Map<number, number>();
  for (let at = 0; at < length; at += POLLFD) {
    const file = volume.descriptors.get(view.getInt32(at, true));
    if (file !== undefined && !file.pathOnly) ours.set(at, view.getUint16(at + 4, true) & ALWAYS);
  }
  if (ours.size === 0) return pass(call);
  const rest = Buffer.from(bytesOf(given, length) as Uint8Array);
  for (const at of ours.keys()) rest.writeInt32LE(-1, at);
  const ready = [...ours.values()].filter((events) => events !== 0).length;
  const args = [...msg.args];
  args[0] = rest;
  if (ready > 0) args[2] = none;
  const answer = next(new SysMsg(msg.number, args, msg.td));
  if (answer < 0) return answer;
  for (let at = 0; at < length; at += POLLFD)
    view.setUint16(at + 6, ours.get(at) ?? rest.readUInt16LE(at + 6), true);
  return answer + ready;
}

/** The descriptors below n that are in a set. */
function* members(set: unknown, n: number): Generator<number, void, void> {
  if (!ArrayBuffer.isView(set)) return;
  const bytes = new Uint8Array(set.buffer, set.byteOffset, set.byteLength);
  for (let fd = 0; fd < Math.min(n, bytes.length * 8); fd++)
    if (((bytes[fd >> 3] as number) & (1 << (fd & 7))) !== 0) yield fd;
}

/** select and pselect6, whose sets are changed in place. */
function select(call: Call): number {
  const { volume, msg, next } = call;
  const n = msg.args[0];
  if (!Number.isInteger(n)) return pass(call);
  const ours = [1, 2, 3].map((i) =>
    [...members(msg.args[i], n as number)].filter((fd) => volume.descriptors.get(fd)?.pathOnly === false),
  );
  const ready = (ours[0] as number[]).length + (ours[1] as number[]).length;
  if (ready + (ours[2] as number[]).length === 0) return pass(call);
  const args = [...msg.args];
  const each = (change: (bytes: Uint8Array, fd: number, i: number) => void): void =>
    ours.forEach((fds, i) => {
      const set = msg.args[i + 1] as NodeJS.ArrayBufferView;
      for (const fd of fds) change(new Uint8Array(set.buffer, set.byteOffset, set.byteLength), fd, i);
    });
  each((bytes, fd) => {
    (bytes[fd >> 3] as number) &= ~(1 << (fd & 7));
  });
  if (ready > 0) args[4] = Buffer.alloc(16);
  const answer = next(new SysMsg(msg.number, args, msg.td));
  if (answer < 0) return answer;
  each((bytes, fd, i) => {
    if (i < 2) (bytes[fd >> 3] as number) |= 1 << (fd & 7);
  });
  return answer + ready;
}

function epollCtl(call: Call): number {
  const file = call.volume.descriptors.get(call.msg.args[2]);
  return file === undefined || file.pathOnly ? pass(call) : -c.EPERM;
}

export const readinessCalls: Handlers = {
  poll: (call) => poll(call, 0),
  ppoll: (call) => poll(call, Buffer.alloc(16)),
  select,
  pselect6: select,
  epoll_ctl: epollCtl,
};
