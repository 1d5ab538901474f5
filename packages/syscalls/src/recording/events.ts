/**
 * events.ts: what a recording of a program is made of, for who reads it.
 *
 * Not here: how that lies in the file (record.ts).
 */

/** Memory of the program, as it was. */
export interface RecordedMemory {
  /** Where it was. */
  address: bigint;
  /** Bytes. Of what the kernel has read, the recording has the beginning: 64 bytes of a buffer, a path as a whole. */
  length: number;
  /** What was there, read from the file when it is asked for; undefined: it is not in the file, which is cut off or damaged, or the program has read what it had
   *  written itself, and a replay has it from there. Throws once the recording is closed. */
  readonly bytes: Buffer | undefined;
  /** The same as text, up to the first zero: of a path. */
  readonly text: string | undefined;
}

interface Event {
  /** The process, as it was numbered then. */
  pid: number;
  /** The thread. */
  tid: number;
}

/** A system call that has returned; of exit and exit_group, that was made. */
export interface RecordedCall extends Event {
  kind: 'call';
  /** "openat". "call 999": the table has none of this number. */
  name: string;
  number: number;
  /** As they were in the registers. */
  args: bigint[];
  result: bigint;
  /** The errno's name, if it has failed: "ENOENT"; "ERESTARTSYS" and its like: a signal has interrupted it, and it may be made again. */
  error?: string;
  /** What the kernel has read. */
  read: RecordedMemory[];
  /** What it has written; a mapped file's contents. */
  written: RecordedMemory[];
  /** Of a fork: the program that begins there (RecordedProgram.stream). */
  made?: number;
}

/** An execve that is made. If it fails, the thread's call is next; else the process goes on in `becomes`. */
export interface RecordedExec extends Event {
  kind: 'exec';
  name: string;
  number: number;
  args: bigint[];
  read: RecordedMemory[];
  becomes?: number;
}

/** A signal that is delivered. */
export interface RecordedSignal extends Event {
  kind: 'signal';
  /** "SIGINT", "SIGRT_2". */
  name: string;
  number: number;
  /** An instruction has raised it. */
  raised: boolean;
  /** siginfo_t. */
  info: Buffer;
}

/** The rest of what makes the schedule: a thread begins; one goes on that had computed for long while others had their turns; the process ends, with its exit status. */
export interface RecordedStep extends Event {
  kind: 'begin' | 'resume';
}

export interface RecordedEnd extends Event {
  kind: 'end';
  status: number;
}

/** Memory that has changed in the middle of a call. */
export interface RecordedWrite extends Event {
  kind: 'write';
  written: RecordedMemory[];
}

/** The processor's counter, which was read. */
export interface RecordedCounter extends Event {
  kind: 'counter';
  value: bigint;
}

/** What can't be replayed, as it was said. */
export interface RecordedNote extends Event {
  kind: 'note';
  text: string;
}

export type RecordedEvent =
  | RecordedCall
  | RecordedExec
  | RecordedSignal
  | RecordedStep
  | RecordedEnd
  | RecordedWrite
  | RecordedCounter
  | RecordedNote;

/** How a program began. */
export interface RecordedBeginning {
  pid: number;
  parentPid: number;
  time: Date;
  /** Empty for a fork's child. */
  argv: string[];
  env: string[];
  cwd: string;
  /** The program's file. */
  program: string;
  /** The kernel's release. */
  kernel: string;
}
