/**
 * recording: reads what `lwkt record -- PROGRAM` has written: who called what, with what answer, in which order; signals, turns, processes. Not recordings of scripts:
 * those are text (../shims/record/).
 *
 * Not here: running it again (`lwkt replay`).
 *
 * Invariant: whatever the file has, reading ends; what is not whole is left out.
 */
import '../index.ts'; // for the bundle: see tsup.config.ts
import { fileURLToPath } from 'node:url';
import { invalidType, isUrl } from '@libcr/core/internal';
import type { RecordedBeginning, RecordedEvent } from './events.ts';
import { HEAD_SIZE, RecordingFile, unusable } from './file.ts';
import { beginningOf, beginsAt, eventOf, Kind, kindOf } from './record.ts';
import { isStream, PAGE, recordsOfStream } from './stream.ts';

export type * from './events.ts';

const FIRST = HEAD_SIZE / PAGE;

/** What one process did with one program: from a fork, or an execve, to the next execve or the end. */
export class RecordedProgram implements Iterable<RecordedEvent> {
  /** What names it in the file: RecordedCall.made, RecordedExec.becomes. */
  readonly stream: number;
  readonly pid: number;
  /** undefined: the process was killed before that was written, or the file is damaged. */
  readonly beginning: RecordedBeginning | undefined;
  readonly #file: RecordingFile;

  /** Use readRecording(). */
  constructor(file: RecordingFile, stream: number, pid = 0) {
    this.#file = file;
    this.stream = stream;
    for (const record of recordsOfStream(file, stream)) {
      if (kindOf(record) !== Kind.header) continue;
      this.beginning = beginningOf(record);
      break;
    }
    this.pid = this.beginning?.pid ?? pid;
  }

  /** Its events, in the order in which they were; as far as the file goes. */
  *[Symbol.iterator](): Generator<RecordedEvent, void> {
    for (const record of recordsOfStream(this.#file, this.stream)) {
      const event = eventOf(this.#file, this.pid, record);
      if (event !== undefined) yield event;
    }
  }
}

/** A file that is open. Iterating reads it anew each time: nothing is kept. */
export class Recording implements Iterable<RecordedEvent>, Disposable {
  readonly path: string;
  readonly #file: RecordingFile;

  /** Use readRecording(). */
  constructor(file: RecordingFile) {
    this.#file = file;
    this.path = file.path;
  }

  /** How the first program began; undefined: its process was killed before that was written. */
  get beginning(): RecordedBeginning | undefined {
    return new RecordedProgram(this.#file, FIRST).beginning;
  }

  /** All that was run: the first program, what its process became, then what was made by those, in the order in which it was made. */
  *programs(): Generator<RecordedProgram, void> {
    const seen = new Set<number>();
    const begun: { stream: number; pid: number }[] = [{ stream: FIRST, pid: 0 }];
    for (let at = begun.shift(); at !== undefined; at = begun.shift()) {
      if (seen.has(at.stream) || !isStream(this.#file, at.stream)) continue;
      seen.add(at.stream);
      const program = new RecordedProgram(this.#file, at.stream, at.pid);
      yield program;
      let becomes: number | undefined;
      for (const record of recordsOfStream(this.#file, at.stream)) {
        const begins = beginsAt(record);
        becomes = begins !== undefined && begins.pid === undefined ? begins.stream : undefined;
        if (begins?.pid !== undefined) begun.push({ stream: begins.stream, pid: begins.pid });
      }
      if (becomes !== undefined) begun.unshift({ stream: becomes, pid: program.pid });
    }
  }

  /** The events of all programs(), one program after the other: what processes did at the same time has no order, but for what one waits for of another's. */
  *[Symbol.iterator](): Generator<RecordedEvent, void> {
    for (const program of this.programs()) yield* program;
  }

  /** Closes the file; what has been read of it stays. */
  close(): void {
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a recording of a program, also one that is cut off or still being written; what gzip or zstd has packed is unpacked into a file without a name first (zstd: Node 22.15
 * and newer). Works from everywhere; waits for nothing but that. Throws TypeError for a path that is none, what node:fs throws, and an Error with the code ERR_LIBCR_RECORDING
 * for a file that is no recording of a program, or of another version.
 */
export async function readRecording(path: string | URL): Promise<Recording> {
  if (typeof path !== 'string' && !isUrl(path)) throw invalidType('path', 'of type string or a URL', path);
  const file = await RecordingFile.open(isUrl(path) ? fileURLToPath(path) : path);
  const recording = new Recording(file);
  if (isStream(file, FIRST)) return recording;
  recording.close();
  throw unusable(file.path, 'is damaged where its first program begins');
}
