/**
 * divergence.ts: the error for a program that does not do what it did when it was recorded: which call of which userthread, as it was and
 * as it is, both as strace shows calls.
 *
 * Not here: finding it (player.ts).
 */
import { CodedError } from '@libcr/core/internal';
import type { Row } from '../../generated/rows.ts';
import { rowNamed, rowOf } from '../../port/calls.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { formatCall, formatReply, formatUnknown, lengthsOf } from '../format/index.ts';
import { decodeArgument, type EncodedArgument } from '../recording/argument.ts';
import { decodeBytes } from '../recording/bytes.ts';
import type { CallLine } from '../recording/lines.ts';

/** How many bytes of data are shown; more where the difference would not be seen. */
const LIMITS = [32, 1024];

/** ERR_LIBCR_REPLAY_DIVERGED. */
export class DivergenceError extends CodedError {
  /** Which call of the recording, all threads counted, from 1; undefined where it has none for what was made. */
  readonly position: number | undefined;
  /** The userthread's name. */
  readonly thread: string;
  /** The call that was recorded, and what was made instead; undefined for none. */
  readonly recorded: string | undefined;
  readonly made: string | undefined;

  /** @internal */
  constructor(
    position: number | undefined,
    thread: string,
    recorded: string | undefined,
    made: string | undefined,
    remark: string,
  ) {
    const where = position === undefined ? 'after its last call' : `at call ${position}`;
    const lines = [
      `the program does not do what was recorded: userthread "${thread}", ${where}${remark}`,
      `  recorded: ${recorded ?? 'no call'}`,
      `  made:     ${made ?? 'no call'}`,
    ];
    super('ERR_LIBCR_REPLAY_DIVERGED', lines.join('\n'));
    this.position = position;
    this.thread = thread;
    this.recorded = recorded;
    this.made = made;
  }
}

function recordedCall(line: CallLine, limit: number): string {
  const row = typeof line.call === 'string' ? rowNamed(line.call) : undefined;
  const filled = (line.out ?? []).map((bytes) => decodeBytes(bytes) ?? Buffer.alloc(0));
  const decode = (pieces: Buffer[]): unknown[] => line.args.map((arg) => decodeArgument(arg, pieces));
  const reply = line.reply ?? -1;
  const before = decode([]);
  const call =
    row === undefined
      ? formatUnknown(Number(line.call), before)
      : formatCall(row, decode(filled), reply, limit, lengthsOf(row, before));
  if (line.waits) return `${call} = ?`;
  return `${call} ${line.throws ? `= ? (${line.throws.name})` : formatReply(row, before, reply)}`;
}

function madeCall(row: Row | undefined, msg: SysMsg, limit: number): string {
  return row === undefined
    ? formatUnknown(msg.number, msg.args)
    : formatCall(row, msg.args, -1, limit, lengthsOf(row, msg.args));
}

/** Which argument differs, where it is the same call. */
function difference(row: Row | undefined, line: CallLine, args: readonly EncodedArgument[]): string {
  if (row === undefined || row.name !== line.call) return '';
  const i = line.args.findIndex((arg, k) => JSON.stringify(arg) !== JSON.stringify(args[k]));
  const name = row.args[i]?.name;
  return name === undefined ? '' : `, argument "${name}"`;
}

/** What reads odd arguments may throw. */
function attempted(read: () => string, otherwise: string): string {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

export interface Place {
  position: number | undefined;
  thread: string;
}

/** line: what was recorded; msg and args: what was made; at least one is there. */
export function divergence(
  { position, thread }: Place,
  line: CallLine | undefined,
  msg?: SysMsg,
  args: readonly EncodedArgument[] = [],
): DivergenceError {
  const row = msg && rowOf(msg.number);
  let recorded: string | undefined;
  let made: string | undefined;
  for (const limit of LIMITS) {
    recorded = line && attempted(() => recordedCall(line, limit), `${line.call}(…)`);
    made = msg && attempted(() => madeCall(row, msg, limit), `${msg.name}(…)`);
    if (made === undefined || !recorded?.startsWith(`${made} =`)) break;
  }
  return new DivergenceError(
    position,
    thread,
    recorded,
    made,
    line && msg ? difference(row, line, args) : '',
  );
}
