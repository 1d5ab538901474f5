/**
 * read.ts: a recording out of its file, checked: that it is one, of this version and machine, and that it is whole.
 *
 * Not here: what is done with it (../replay/).
 */

import { gunzipSync } from 'node:zlib';
import { CodedError } from '@libcr/core/internal';
import { nodeFs } from '../../node-fs.ts';
import { type CallLine, type ClockLine, type RecordingHeader, type ThreadLine, VERSION } from './lines.ts';

export interface Recording {
  header: RecordingHeader;
  threads: ThreadLine[];
  /** In their order, both kinds. */
  events: (CallLine | ClockLine)[];
  /** Whether the last line is there. */
  whole: boolean;
}

function unusable(file: string, why: string): Error {
  return new CodedError('ERR_LIBCR_RECORDING', `${file} ${why}`);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Its text; what gzip(1) has packed, too. */
function textOf(file: string): string {
  const bytes = nodeFs.readFileSync(file);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString();
  try {
    return gunzipSync(bytes).toString();
  } catch (error) {
    throw unusable(file, `cannot be unpacked: ${(error as Error).message}`);
  }
}

function headerOf(file: string, text: string): RecordingHeader {
  const header = parse(text.slice(0, (text.indexOf('\n') + 1 || text.length + 1) - 1));
  if (header?.recording !== 'libcr' || !Array.isArray(header.argv))
    throw unusable(file, 'is no recording of libcr');
  if (header.version !== VERSION)
    throw unusable(
      file,
      `is a recording of version ${header.version}, and this libcr reads version ${VERSION}`,
    );
  if (header.arch !== process.arch)
    throw unusable(file, `was recorded on ${header.arch}, and this is ${process.arch}`);
  return header as unknown as RecordingHeader;
}

/** The first line. Throws what node:fs throws, and ERR_LIBCR_RECORDING for what is no recording of this version and machine. */
export function readHeader(file: string): RecordingHeader {
  return headerOf(file, textOf(file));
}

const isCall = (line: Record<string, unknown>): boolean =>
  (typeof line.call === 'string' || typeof line.call === 'number') &&
  Array.isArray(line.args) &&
  (Number.isInteger(line.reply) || typeof line.throws === 'object' || line.waits === true);

const isClock = (line: Record<string, unknown>): boolean =>
  typeof line.clock === 'string' && (typeof line.value === 'number' || typeof line.value === 'string');

/** Throws what readHeader() throws, and ERR_LIBCR_RECORDING for a file with lines that are none of a recording's. */
export function readRecording(file: string): Recording {
  const text = textOf(file);
  const header = headerOf(file, text);
  const lines = text.split('\n');
  const last = lines.pop(); // nothing, or a line that is cut off
  const recording: Recording = { header, threads: [], events: [], whole: false };
  for (let i = 1; i < lines.length; i++) {
    const line = parse(lines[i] as string);
    const bad = (): Error => unusable(file, `has a line that is none of a recording's: ${i + 1}`);
    if (line === undefined || recording.whole) throw bad();
    if (line.end === i) recording.whole = true;
    else if (line.thread === recording.threads.length && typeof line.name === 'string')
      recording.threads.push(line as unknown as ThreadLine);
    else if (recording.threads[line.t as number] !== undefined && (isCall(line) || isClock(line)))
      recording.events.push(line as unknown as CallLine);
    else throw bad();
  }
  if (last !== '') recording.whole = false;
  return recording;
}
