/**
 * signal-handlers.test.ts: libcr's own signal handlers are async-signal-safe. They may interrupt libcr anywhere, so nothing that they can reach takes a lock that the
 * interrupted code may have, allocates, switches or waits. The launcher is disassembled, and who calls whom is followed from each handler.
 */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { has } from '../programs.ts';

/** Not on_sigsys: the kernel sends its signal for the program's instructions alone, so it interrupts nothing of libcr's. */
const HANDLERS = ['on_fault', 'on_tick', 'signals_on_signal'];
const FORBIDDEN =
  /^(lwkt_word_lock\w*|lwkt_os_(alloc|free|map|unmap)|lwkt_(yield|switch|wait_once|wait_ipiq|gettoken|serialize\w*|create|exit)|signals_(assign|due|deliver|post\w*)|pending_(sort|add|take|new|free|release)|mask_(set|apply)|futex_wait|lwp_wait|take_spare)(\.\w+)*$/;
/** Where a handler does not return, as the process ends with a message; and what on_fault does only when it has interrupted the program, which has no lock of libcr's. */
const ENDS = ['program_fail', 'program_exit', 'trace_signal', 'trace_killed'];

/** Who calls through a pointer, and what that may be: signals_come; program_postpones and its program_ticks; where time or schedules are the launcher's own, program_fault and the clocks. */
const INDIRECT = ['lwkt_os_clock', 'on_fault', 'program_interrupt', 'signals_on_signal', 'time_now'];
const TARGETS = ['postpones', 'tick_once', 'come', 'fault', 'clock_now', 'clock_of_user'];

interface Function {
  name: string;
  calls: Set<string>;
  /** A call through a pointer. */
  indirect: number;
}

function disassemble(): Map<string, Function> {
  const text = execFileSync('objdump', ['-d', '--no-show-raw-insn', launcherPath()], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const functions = new Map<string, Function>();
  let current: Function | undefined;
  for (const line of text.split('\n')) {
    const head = /^[0-9a-f]+ <(.+)>:$/.exec(line);
    if (head) {
      const name = head[1] as string;
      current = functions.get(name) ?? { name, calls: new Set(), indirect: 0 };
      functions.set(name, current);
      continue;
    }
    const branch = /\t(?:call|jmp|j\w+)\s+[0-9a-f]+ <([^>+]+)/.exec(line);
    if (branch && current && branch[1] !== current.name) current.calls.add(branch[1] as string);
    if (/\tcall\s+\*/.test(line) && current) current.indirect++;
  }
  return functions;
}

/** The way from a handler to the first function that is forbidden; those with calls through pointers that are reached. */
function follow(functions: Map<string, Function>, from: string): { found: string[]; indirect: string[] } {
  const ways = new Map([[from, [from]]]);
  const indirect: string[] = [];
  for (const [name, way] of ways) {
    if (FORBIDDEN.test(name)) return { found: way, indirect };
    if (ENDS.includes(name)) continue;
    const called = functions.get(name);
    if (called?.indirect) indirect.push(name);
    for (const next of called?.calls ?? []) if (!ways.has(next)) ways.set(next, [...way, next]);
  }
  return { found: [], indirect };
}

const objdump = has('objdump');
const functions = objdump ? disassemble() : new Map<string, Function>();

describe.skipIf(!objdump)("what libcr's handlers can reach", () => {
  test.each(HANDLERS)('%s takes no lock, allocates nothing, waits for nothing', (handler) => {
    expect([...functions.keys()]).toContain(handler);
    expect(follow(functions, handler).found).toEqual([]);
  });

  test('the functions that are called through a pointer are as safe', () => {
    const reached = new Set(HANDLERS.flatMap((handler) => follow(functions, handler).indirect));
    expect([...reached].sort()).toEqual(INDIRECT);
    for (const target of TARGETS) expect(follow(functions, target).found, target).toEqual([]);
  });

  test('ordinary code is found to be unsafe: the check sees what it looks for', () => {
    for (const unsafe of ['signals_post', 'signals_deliver', 'mask_set', 'lwp_exit'])
      expect(follow(functions, unsafe).found, unsafe).not.toEqual([]);
  });
});
