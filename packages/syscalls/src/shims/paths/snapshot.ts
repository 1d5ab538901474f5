/**
 * snapshot.ts: a message with copies of what is judged: paths, addresses, struct open_how. Another thread, or a shim below that waits, may change the
 * memory between the look and the call; the kernel gets what was looked at.
 *
 * Not here: data, which no rule looks at.
 */
import { plainArrays, viewBytes } from '../../codec/bytes.ts';
import { rowOf } from '../../port/calls.ts';
import { SysMsg } from '../../port/sysmsg.ts';

const copy = (value: unknown): unknown => (ArrayBuffer.isView(value) ? Buffer.from(viewBytes(value)) : value);

/** [address, buffers, control, header]: the address only. What the kernel fills stays what it is. */
function copyMessage(message: unknown): unknown {
  return Array.isArray(message) ? [copy(message[0]), ...message.slice(1)] : message;
}

export function snapshot(msg: SysMsg): SysMsg {
  const row = rowOf(msg.number);
  if (row === undefined) return msg;
  const args = msg.args.map((value, i) => {
    const argument = row.args[i];
    if (typeof value !== 'object' || value === null || argument === undefined || argument.out) return value;
    switch (argument.format) {
      case 'path':
      case 'text':
      case 'openHow':
      case 'sockaddr':
        return copy(value);
      case 'message':
        return copyMessage(plainArrays(value));
      case 'messages': {
        const list = plainArrays(value);
        return Array.isArray(list) ? list.map(copyMessage) : list;
      }
      default:
        return value;
    }
  });
  return args.every((value, i) => value === msg.args[i]) ? msg : new SysMsg(msg.number, args, msg.td);
}
