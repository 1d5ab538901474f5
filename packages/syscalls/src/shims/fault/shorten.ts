/** shorten.ts: a call that moves data, asked to move less of it: what short reads and writes are. */
import type { CallName } from '../../generated/rows.ts';
import { rowNamed, rowOf } from '../../port/calls.ts';
import { SysMsg } from '../../port/sysmsg.ts';

/** Classes of calls whose data may be cut. */
const CLASSES = new Set(['read', 'write', 'recv', 'send', 'recvmsg', 'sendmsg']);
/** They count messages, not bytes. */
const WHOLE = new Set(['recvmmsg', 'sendmmsg']);

/** Whether a call moves data that can be cut. */
export function canShorten(name: CallName): boolean {
  const block = rowNamed(name)?.block;
  return block !== undefined && CLASSES.has(block) && !WHOLE.has(name);
}

/** How many bytes are left of `total`: at most as many as keep says, or that part of them where it is less than 1; at least 1. */
export function kept(total: number, keep: number): number {
  return Math.min(total, Math.max(1, keep < 1 ? Math.floor(total * keep) : keep));
}

const sizeOf = (views: readonly NodeJS.ArrayBufferView[]): number =>
  views.reduce((sum, view) => sum + view.byteLength, 0);

/** The first bytes of several buffers. */
function firstOf(views: readonly NodeJS.ArrayBufferView[], bytes: number): NodeJS.ArrayBufferView[] {
  const list: NodeJS.ArrayBufferView[] = [];
  let left = bytes;
  for (const view of views) {
    if (left === 0) break;
    const n = Math.min(left, view.byteLength);
    list.push(n === view.byteLength ? view : new Uint8Array(view.buffer, view.byteOffset, n));
    left -= n;
  }
  return list;
}

const isList = (value: unknown): value is readonly NodeJS.ArrayBufferView[] =>
  Array.isArray(value) && value.every((view) => ArrayBuffer.isView(view));

/** The same call for fewer bytes; the same message where it moves one byte or none, or has arguments that the kernel will refuse. */
export function shortened(msg: SysMsg, keep: number): SysMsg {
  const row = rowOf(msg.number);
  const args = [...msg.args];
  const i = row?.args.findIndex(({ format }) => /^(data|iov|message)/.test(format)) ?? -1;
  const [data, next] = [args[i], args[i + 1]];
  if (ArrayBuffer.isView(data) && typeof next === 'number') {
    if (!(next > 1) || next > data.byteLength) return msg;
    args[i + 1] = kept(next, keep);
  } else if (isList(data) && typeof next === 'number') {
    const list = data.slice(0, next);
    if (!(sizeOf(list) > 1)) return msg;
    const few = firstOf(list, kept(sizeOf(list), keep));
    [args[i], args[i + 1]] = [few, few.length];
  } else if (Array.isArray(data) && isList(data[1])) {
    const [address, list, ...rest] = data; // a message: [address, buffers, control, header]
    if (!(sizeOf(list) > 1)) return msg;
    args[i] = [address, firstOf(list, kept(sizeOf(list), keep)), ...rest];
  } else return msg;
  return new SysMsg(msg.number, args, msg.td);
}
