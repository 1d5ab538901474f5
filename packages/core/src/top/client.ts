/**
 * client.ts: @libcr/core/top/client: finds the processes that can be looked at, and looks. `lwkt top` is made of it. Does not load the native half.
 */
import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { CodedError } from '../errors/errors.ts';
import { checkDirectory, directoryOf, socketIn } from './place.ts';
import type { TopAnswer } from './server.ts';
import type { SnapshotOptions, TopSnapshot } from './types.ts';

export type {
  SnapshotOptions,
  TopPort,
  TopProcess,
  TopRfork,
  TopRforkRunning,
  TopRforkSilent,
  TopSnapshot,
  TopThread,
} from './types.ts';

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/** Whose process it is; undefined where there is none. */
function userOf(pid: number): number | undefined {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket.off('error', reject)));
    socket.once('error', reject);
  });
}

/** Whether a process listens there. A socket whose process is gone is removed. */
async function listens(path: string, pid: number): Promise<boolean> {
  try {
    (await open(path)).destroy();
    return true;
  } catch (error) {
    if (codeOf(error) === 'ECONNREFUSED' && !exists(pid)) unlinkSync(path);
    return false;
  }
}

/** The processes of this user's that can be looked at, by number. Rejects with ERR_LWKT_TOP_DIRECTORY, and what the system says. */
export async function servedProcesses(): Promise<number[]> {
  const uid = process.getuid?.() as number;
  const directory = directoryOf(uid);
  try {
    checkDirectory(directory, uid);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
  const pids: number[] = [];
  for (const name of readdirSync(directory)) {
    const pid = Number(/^([1-9]\d*)\.sock$/.exec(name)?.[1]);
    if (pid > 0 && (await listens(socketIn(directory, pid), pid))) pids.push(pid);
  }
  return pids.sort((a, b) => a - b);
}

/** A process that is looked at. */
export class TopConnection {
  readonly pid: number;
  readonly #socket: Socket;
  readonly #waiting: ((answer: TopAnswer | undefined) => void)[] = [];
  #ended = false;

  /**
   * Rejects with ESRCH where there is no such process, EACCES where it is another user's, ERR_LWKT_TOP_NOT_SERVED where it can't be looked at, and
   * ERR_LWKT_TOP_DIRECTORY.
   */
  static async open(pid: number): Promise<TopConnection> {
    const uid = userOf(pid);
    const me = process.getuid?.() as number;
    if (uid === undefined) throw new CodedError('ESRCH', `there is no process ${pid}`);
    if (me !== 0 && uid !== me) throw new CodedError('EACCES', `process ${pid} is user ${uid}'s`);
    const directory = directoryOf(uid);
    try {
      checkDirectory(directory, uid);
      return new TopConnection(pid, await open(socketIn(directory, pid)));
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED') throw error;
      throw new CodedError('ERR_LWKT_TOP_NOT_SERVED', `process ${pid} can't be looked at`, { cause: error });
    }
  }

  private constructor(pid: number, socket: Socket) {
    this.pid = pid;
    this.#socket = socket;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#ended = true;
      for (const answered of this.#waiting.splice(0)) answered(undefined);
    });
    createInterface({ input: socket })
      .on('error', () => {})
      .on('line', (line) => this.#waiting.shift()?.(JSON.parse(line) as TopAnswer));
  }

  /**
   * A look. It takes as long as the process needs, which may be for ever: while its main thread is busy it does not answer. Rejects with ESRCH once the process has
   * ended.
   */
  async look(options: SnapshotOptions = {}): Promise<TopSnapshot> {
    const answer = await new Promise<TopAnswer | undefined>((answered) => {
      if (this.#ended) return answered(undefined);
      this.#waiting.push(answered);
      this.#socket.write(`${JSON.stringify(options)}\n`);
    });
    if (answer === undefined) throw new CodedError('ESRCH', `process ${this.pid} has ended`);
    if ('error' in answer) throw new CodedError(answer.error.code, answer.error.message);
    return answer.snapshot;
  }

  close(): void {
    this.#socket.destroy();
  }
}
