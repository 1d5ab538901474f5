/**
 * index.ts: the shim that prints every system call, one line each, in strace(1)'s format with -f and -T: userthread, call, reply, seconds.
 *
 *     3     openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 21 <0.000013>
 *
 *     3     read(0,  <unfinished ...>                          it has begun to wait
 *     3     <... read resumed>"x", 100) = 1 <12.020401>        and has returned
 *
 * Not here: the text of a call (format/, line.ts), and when it is shown (under-way.ts).
 *
 * Invariant: tracing changes nothing. A call answers and throws what it would without it; where lines can no longer be written, a warning
 * says so once, and the program goes on untraced.
 */

import '../../index.ts'; // for the bundle: see tsup.config.ts
import { invalidType, outOfRange } from '@libcr/core/internal';
import type { CallName } from '../../generated/rows.ts';
import { checkShim, type Shim } from '../../port/shim.ts';
import { TRACE_OF, type TraceShim } from '../../supervisor/rows/row-shim.ts';
import { checkKeys } from '../match.ts';
import { outputOf } from './output.ts';
import { UnderWay } from './under-way.ts';

/** Bytes of data that are shown, if nobody says otherwise. */
const SHOWN = 32;

export interface TraceOptions {
  /**
   * Where the lines go: 'stderr' (default), a path (made, or truncated; a Worker adds to it), or a function that gets each line without its newline. Lines for a
   * file are gathered, and written at each turn of the event loop and at exit. Where writing fails, or the function throws, that is the end
   * of the trace: a warning (LIBCR_TRACE) says so, and the program goes on.
   */
  output?: string | ((line: string) => void) | undefined;
  /** The calls to print; all, if absent. */
  on?: readonly CallName[] | 'all' | undefined;
  /** How many bytes of data are shown, 0 to 2^31-1; 32 if absent, as strace. */
  stringLimit?: number | undefined;
}

/** A shim that prints system calls. Throws what opening the file throws. The idea: strace(1). */
export function trace(options: TraceOptions = {}): Shim {
  checkKeys('options', options, ['output', 'on', 'stringLimit']);
  const limit = options.stringLimit ?? SHOWN;
  if (typeof limit !== 'number') throw invalidType('options.stringLimit', 'of type number', limit);
  if (!Number.isInteger(limit) || limit < 0 || limit > 2 ** 31 - 1)
    throw outOfRange('options.stringLimit', 'an integer >= 0 and <= 2^31 - 1', limit);
  const shim: TraceShim = {
    name: 'trace',
    [TRACE_OF]: () => (output.working && limit === SHOWN ? (output.file ?? later) : undefined),
    on: options.on ?? 'all',
    shim: (next) => (msg) => (output.working ? underWay.follow(msg, next) : next(msg)),
  };
  checkShim(shim);
  UnderWay.prepare();
  const output = outputOf(options.output);
  const take = (line: string): boolean => {
    output.print(line);
    return output.working;
  };
  const later = output.takesLater ? take : undefined;
  const underWay = new UnderWay(output, limit);
  return shim;
}
