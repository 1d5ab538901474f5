/** tree-shim.ts: the shim that answers calls from a volume: memfs' and overlay's. */
import type { CallName } from '../../generated/rows.ts';
import { CALL_COUNT, rowNamed } from '../../port/calls.ts';
import { defineShim, type Shim } from '../../port/shim.ts';
import type { Call, Handler } from './call.ts';
import { handlers } from './calls/index.ts';
import type { Volume } from './volume.ts';

/** Those of the handlers whose calls are in the table. */
const byNumber: (Handler | undefined)[] = new Array(CALL_COUNT).fill(undefined);
const names: CallName[] = [];
for (const [name, handler] of Object.entries(handlers)) {
  const row = rowNamed(name);
  if (row === undefined) continue;
  byNumber[row.number] = handler;
  names.push(row.name);
}

/** answer: runs a handler, for who has something to do with what it throws. */
export function shimOf(
  name: string,
  volume: Volume,
  answer: (handler: Handler, call: Call) => number = (handler, call) => handler(call),
): Shim {
  return defineShim({
    name,
    on: names,
    shim: (next) => (msg) => {
      const handler = byNumber[msg.number];
      return handler === undefined ? next(msg) : answer(handler, { volume, msg, next });
    },
  });
}
