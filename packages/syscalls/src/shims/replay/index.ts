/**
 * replay: the shim that answers system calls from a file that ../record/ has written, without the kernel: the network, the files and the
 * clock may be gone. The first call that is not the one that was recorded ends it.
 *
 * Not here: the order of the answers (player.ts), and the form of the file (../recording/).
 *
 * Invariant: no call goes to the level below.
 */
import '../../index.ts'; // for the bundle: see tsup.config.ts
import { CodedError, invalidType } from '@libcr/core/internal';
import { checkShim, type Shim } from '../../port/shim.ts';
import { FOR_PROGRAMS, notForPrograms } from '../../supervisor/for-programs.ts';
import { checkKeys } from '../match.ts';
import type { RecordingHeader } from '../recording/lines.ts';
import { readRecording } from '../recording/read.ts';
import { wrapClock } from '../recording/sources/index.ts';
import { Output } from './output.ts';
import { Player } from './player.ts';

export type { RecordingHeader } from '../recording/lines.ts';
export { readHeader } from '../recording/read.ts';
export { DivergenceError } from './divergence.ts';

export interface ReplayOptions {
  /** What record() has written; packed by gzip(1), perhaps. It is read as a whole. */
  file: string;
  /**
   * write (if absent): what the program writes to descriptors 1 and 2 with write and writev is written there, too, once it has been found
   * to be what was recorded. check: it is only compared.
   */
  output?: 'write' | 'check' | undefined;
  /** Whether a recording that is cut off may be replayed, as far as it goes. false, if absent. */
  partial?: boolean | undefined;
  /** Called once with the error, before it is thrown. */
  onDiverged?: ((error: Error) => void) | undefined;
}

/** The shim, and a handle on the recording. */
export interface Replay extends Shim {
  /** What was recorded. */
  readonly header: RecordingHeader;
  /**
   * Ends the replay: gives the clocks back, and throws ERR_LIBCR_REPLAY_DIVERGED where a difference has been found, or recorded calls have not
   * been made. Does not block; works from everywhere.
   */
  finish(): void;
}

function checkOptions(options: ReplayOptions): void {
  checkKeys('options', options, ['file', 'output', 'partial', 'onDiverged']);
  const { file, output, partial, onDiverged } = options;
  if (typeof file !== 'string') throw invalidType('options.file', 'of type string', file);
  if (output !== undefined && output !== 'write' && output !== 'check')
    throw invalidType('options.output', "'write' or 'check'", output);
  if (partial !== undefined && typeof partial !== 'boolean')
    throw invalidType('options.partial', 'of type boolean', partial);
  if (onDiverged !== undefined && typeof onDiverged !== 'function')
    throw invalidType('options.onDiverged', 'of type function', onDiverged);
}

/**
 * A shim that answers every call from a recording, at once or as soon as it is its turn. A call that is not the one that was recorded throws
 * ERR_LIBCR_REPLAY_DIVERGED, as do all calls after it. Put it where record() was. Throws TypeError for bad options, what reading the file
 * throws, and ERR_LIBCR_RECORDING for a file that is no recording, of another version or machine, or cut off.
 */
export function replay(options: ReplayOptions): Replay {
  checkOptions(options);
  const { file, output = 'write', partial = false, onDiverged } = options;
  const recording = readRecording(file);
  if (!recording.whole && !partial)
    throw new CodedError(
      'ERR_LIBCR_RECORDING',
      `${file} is cut off: its last line is missing. It can be replayed as far as it goes, with the option partial`,
    );
  const ranDry = (): void => player.ranDry();
  let restoreClock: (() => void) | undefined;
  const end = (): void => {
    process.off('beforeExit', ranDry);
    restoreClock?.();
    restoreClock = undefined;
  };
  const player = new Player(recording, (error) => {
    end();
    onDiverged?.(error);
  });
  const { header } = recording;
  const written = output === 'write' ? new Output() : undefined;
  const shim: Replay = {
    name: 'replay',
    on: 'all',
    shim: () => (msg) => {
      const reply = player.call(msg);
      written?.answered(msg, reply);
      return reply;
    },
    header,
    finish() {
      end();
      player.finish();
    },
    [FOR_PROGRAMS]: () => {
      throw notForPrograms(
        'replay',
        'what it has are calls of userthreads; `lwkt replay` runs a recorded program again',
      );
    },
  } as Replay;
  checkShim(shim);
  process.prependListener('beforeExit', ranDry);
  if (header.clock) restoreClock = wrapClock((clock, read) => player.reading(clock, read));
  return shim;
}
