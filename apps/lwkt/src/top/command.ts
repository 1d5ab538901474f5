/**
 * command.ts: `lwkt top`: which process, how often it is looked at, and how that is shown. The looks themselves are @libcr/core's (top/client); comparing two
 * is in look.ts, the table in table.ts.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { servedProcesses, TopConnection, type TopSnapshot } from '@libcr/core/top/client';
import { type Parsed, values } from '../arguments.ts';
import { Failure, UsageError } from '../errors.ts';
import { compare, type Look } from './look.ts';
import { ProgramConnection, programs } from './program/connection.ts';
import { Screen } from './screen.ts';
import { render, SORT_KEYS } from './table.ts';

const HOW =
  'start the program by "lwkt run SCRIPT", or by "node --import @libcr/core/top SCRIPT" (with the same TMPDIR as here)';

/** A process with userthreads: of Node, which answers, or a program, whose memory is read. */
type Connection = TopConnection | ProgramConnection;

/** Throws Failure, and what core says. */
async function connect(pid: number): Promise<Connection> {
  return ProgramConnection.open(pid) ?? (await TopConnection.open(pid));
}
/** Milliseconds that a process may take to answer before it counts as busy. */
const PATIENCE = 10_000;

/** The same where several are listed: who does not answer is in the way of those who do. */
const PATIENCE_FOR_LIST = 5000;

interface Options {
  pid: number | undefined;
  json: boolean;
  once: boolean;
  /** Milliseconds; undefined: not given. */
  interval: number | undefined;
  sort: string;
}

function read(parsed: Parsed): Options {
  const [pid, extra] = parsed.rest;
  if (extra !== undefined) throw new UsageError(`unexpected argument ${extra}`);
  if (pid !== undefined && !/^[1-9]\d{0,9}$/.test(pid)) throw new UsageError(`${pid} is no process number`);
  const given = values(parsed, 'interval').at(-1);
  const interval = given === undefined ? undefined : Number(given);
  if (interval !== undefined && !(interval >= 0.1 && interval <= 3600))
    throw new UsageError(`--interval must be 0.1 to 3600 seconds, not ${given}`);
  const sort = values(parsed, 'sort').at(-1) ?? 'cpu';
  if (!Object.hasOwn(SORT_KEYS, sort))
    throw new UsageError(`--sort must be one of ${Object.keys(SORT_KEYS).join(', ')}, not ${sort}`);
  return {
    pid: pid === undefined ? undefined : Number(pid),
    json: parsed.options.has('json'),
    once: parsed.options.has('once'),
    interval: interval === undefined ? undefined : interval * 1000,
    sort,
  };
}

/** What promise comes to; undefined if it takes longer. */
async function inTime<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([promise, pause(ms, undefined, { signal: over.signal })]);
  } finally {
    over.abort();
  }
}

function busy(pid: number): string {
  return `process ${pid} does not answer: its main thread is busy, or stopped`;
}

async function describe(pid: number): Promise<string> {
  let connection: Connection | undefined;
  try {
    connection = await connect(pid);
    const seen = await inTime<TopSnapshot & { process: { program?: string } }>(
      connection.look({ timeout: 0 }),
      PATIENCE_FOR_LIST,
    );
    const { program, script, title } = seen?.process ?? {};
    return `  ${pid}  ${seen === undefined ? '(does not answer)' : (program ?? script ?? title)}`;
  } catch {
    return `  ${pid}  (has ended)`;
  } finally {
    connection?.close();
  }
}

async function choose(): Promise<number> {
  const pids = [...(await servedProcesses()), ...programs()].sort((a, b) => a - b);
  if (pids.length === 0) throw new Failure(`there is no process to look at: ${HOW}`);
  if (pids.length === 1) return pids[0] as number;
  const lines = await Promise.all(pids.map(describe));
  throw new Failure(
    `there are ${pids.length} processes to look at, choose one by its PID (lwkt top PID):\n${lines.join('\n')}`,
  );
}

/** Runs what talks to a process; what comes in between is lwkt's failure, not a bug. */
async function orFail<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof Failure || code === undefined) throw error;
    throw new Failure(code === 'ERR_LWKT_TOP_NOT_SERVED' ? `${message}: ${HOW}` : message, { cause: error });
  }
}

async function lookOnce(connection: Connection): Promise<TopSnapshot> {
  const seen = await inTime<TopSnapshot>(connection.look(), PATIENCE);
  if (seen === undefined) throw new Failure(busy(connection.pid));
  return seen;
}

function print(look: Look, { json, sort }: Options): void {
  process.stdout.write(json ? `${JSON.stringify(look)}\n` : `${render(look, sort).join('\n')}\n`);
}

/** CPU time is counted from the first look on: it takes two to say anything of it. */
async function once(connection: Connection, options: Options): Promise<void> {
  const before = await lookOnce(connection);
  await pause(options.interval ?? 1000);
  print(compare(await lookOnce(connection), before), options);
}

async function jsonLines(connection: Connection, options: Options): Promise<void> {
  let before: TopSnapshot | undefined;
  for (;;) {
    const now = await lookOnce(connection);
    print(compare(now, before), options);
    before = now;
    await pause(options.interval as number);
  }
}

async function live(connection: Connection, options: Options): Promise<void> {
  const screen = new Screen();
  let open = true;
  const closed = screen.closed.then(() => {
    open = false;
  });
  let before: TopSnapshot | undefined;
  let lines: string[] = [];
  const draw = (): void => screen.draw(lines);
  try {
    while (open) {
      const look: Promise<TopSnapshot> = connection.look();
      // A busy process is not asked again: it would have to answer all of it later.
      while (open && (await Promise.race([inTime(look, PATIENCE), closed])) === undefined) {
        if (!open) return;
        lines = [busy(connection.pid), ...lines.filter((line) => line !== busy(connection.pid))];
        draw();
      }
      if (!open) return;
      const now = await look;
      lines = render(compare(now, before), options.sort, screen.size);
      draw();
      before = now;
      await inTime(closed, options.interval ?? 1000);
    }
  } finally {
    screen.end();
  }
}

/** Shows a process. Throws UsageError, Failure. */
export async function top(parsed: Parsed): Promise<void> {
  const options = read(parsed);
  // Who reads the lines may have had enough of them.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  await orFail(async () => {
    const connection = await connect(options.pid ?? (await choose()));
    try {
      if (options.once || (options.json && options.interval === undefined)) await once(connection, options);
      else if (options.json) await jsonLines(connection, options);
      else if (process.stdout.isTTY && process.env.TERM !== 'dumb') await live(connection, options);
      else await once(connection, options);
    } finally {
      connection.close();
    }
  });
}
