/**
 * table.ts: a look as text: lines about the process and its rforks, a table of the threads, one of the ports at which something waits, and one of those whose messages go to other hosts.
 */
import Table from 'cli-table3';
import type { Look, RforkRow, RunningRow, ThreadRow } from './look.ts';

type Compare = (a: ThreadRow, b: ThreadRow) => number;

const most =
  (figure: (row: ThreadRow) => number | null): Compare =>
  (a, b) =>
    (figure(b) ?? -1) - (figure(a) ?? -1);
const text =
  (key: 'name' | 'state'): Compare =>
  (a, b) =>
    a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0;

/** What may be behind --sort. Equals stand by rfork and id. */
export const SORT_KEYS: Record<string, Compare> = {
  cpu: most((td) => td.cpuPercent),
  id: (a, b) => a.id - b.id,
  name: text('name'),
  rfork: () => 0,
  priority: most((td) => td.priority),
  state: text('state'),
  switches: most((td) => td.switches),
  preemptions: most((td) => td.preemptions),
  stack: most((td) => td.stackUsed),
  queue: most((td) => td.queued),
};

/** How much room there is: a terminal's columns and rows. */
export interface Size {
  columns: number;
  rows: number;
}

/** Ports that are shown while threads want the room. */
const PORTS_SHOWN = 5;

/** A name may be anything; on a terminal, control characters are orders. */
function plain(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

const NO_LINES = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((name) => [name, '']),
);

/** Lines of columns; alignments: l or r for each. */
function columns(head: string[], alignments: string, rows: string[][]): string[] {
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: [...alignments].map((letter) => (letter === 'r' ? 'right' : 'left')),
  });
  table.push(head, ...rows);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

/** Each line cut to the width, with an ellipsis. */
function cut(lines: string[], width: number): string[] {
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colWidths: [width],
  });
  table.push(...lines.map((line) => [line]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

function seconds(ns: number): string {
  return (ns / 1e9).toFixed(2);
}

function kib(bytes: number | null): string {
  return bytes === null ? '-' : `${Math.ceil(bytes / 1024)}K`;
}

function share(percent: number | null): string {
  return percent === null ? '-' : percent.toFixed(1);
}

function heading({ process: { pid, node, script, program, uptime, rss } }: Look): string {
  const what = program ?? `${script ?? 'no script'}  node ${node}`;
  return plain(`process ${pid}  ${what}  up ${Math.floor(uptime)} s  ${Math.round(rss / 2 ** 20)} MiB`);
}

function programRforkLine(rfork: RunningRow): string {
  const { id, userthreads, runnable, loopPercent, switches } = rfork;
  return `rfork ${id}: ${userthreads} lwps, ${runnable} runnable, ${share(loopPercent)} % busy, ${switches} switches`;
}

function rforkLine(rfork: RforkRow): string {
  const name = `rfork ${rfork.id} "${plain(rfork.name)}"`;
  if (rfork.state !== 'running')
    return `${name}: ${rfork.state === 'busy' ? 'busy, does not answer' : 'starting'}`;
  return (
    `${name}: ${rfork.userthreads} userthreads, ${rfork.runnable} runnable, event loop ${share(rfork.loopPercent)} % busy, ` +
    `${rfork.switches} switches, ${rfork.passes} passes, IPI messages ${rfork.ipisSent} sent, ${rfork.ipisReceived} received`
  );
}

function threadCells(td: ThreadRow): string[] {
  return [
    String(td.rfork),
    String(td.id),
    plain(td.name) + (td.native ? ' (C)' : ''),
    td.id === 0 ? '-' : String(td.priority),
    td.state,
    share(td.cpuPercent),
    seconds(td.cpuTime),
    String(td.switches),
    String(td.preemptions),
    `${kib(td.stackUsed)}/${kib(td.stackSize)}`,
    String(td.queued),
    plain(td.waitReason ?? ''),
  ];
}

const THREAD_HEAD = [
  'RFORK',
  'ID',
  'NAME',
  'PRI',
  'STATE',
  'CPU%',
  'CPU s',
  'SWITCHES',
  'PREEMPTED',
  'STACK',
  'QUEUE',
  'WAITS FOR',
];

/** A program's rforks have no thread0 that would be counted. */
function threadTable(rforks: RunningRow[], sort: string, isProgram: boolean): string[] {
  const rows = rforks
    .flatMap(({ threads }) => threads)
    .sort((a, b) => (SORT_KEYS[sort] as Compare)(a, b) || a.rfork - b.rfork || a.id - b.id);
  const lines = columns(THREAD_HEAD, 'rrlrlrrrrrrl', rows.map(threadCells));
  const unlisted = rforks.reduce(
    (n, { userthreads, threads }) => n + userthreads + (isProgram ? 0 : 1) - threads.length,
    0,
  );
  return unlisted > 0 ? [...lines, `… and ${unlisted} more`] : lines;
}

function portTable(rforks: RunningRow[]): string[] {
  const rows = rforks.flatMap(({ id, ports }) =>
    ports.filter(({ queued, waiting }) => queued > 0 || waiting > 0).map((port) => ({ ...port, rfork: id })),
  );
  if (rows.length === 0) return [];
  rows.sort((a, b) => b.queued - a.queued);
  const cells = rows.map(({ rfork, name, owner, queued, waiting }) => [
    String(rfork),
    plain(name),
    owner === null ? '-' : String(owner),
    String(queued),
    String(waiting),
  ]);
  return ['', ...columns(['RFORK', 'PORT', 'OWNER', 'QUEUED', 'WAITING'], 'rlrrr', cells)];
}

function remotePortTable(rforks: RunningRow[]): string[] {
  const rows = rforks.flatMap(({ id, remotePorts }) =>
    remotePorts.filter(({ sent }) => sent > 0).map((port) => ({ ...port, rfork: id })),
  );
  if (rows.length === 0) return [];
  rows.sort((a, b) => b.inFlight - a.inFlight || b.sent - a.sent);
  const cells = rows.map(({ rfork, name, inFlight, sent, failed, latency, latencyMax }) => [
    String(rfork),
    plain(name),
    String(inFlight),
    String(sent),
    String(failed),
    `${latency.toFixed(1)} ms`,
    `${latencyMax.toFixed(1)} ms`,
  ]);
  const head = ['RFORK', 'REMOTE PORT', 'IN FLIGHT', 'SENT', 'FAILED', 'LATENCY', 'LONGEST'];
  return ['', ...columns(head, 'rlrrrrr', cells)];
}

/** The first `most` lines; where that are not all, the last of them says so. */
function clip(lines: string[], most: number): string[] {
  if (lines.length <= most) return lines;
  return most < 1 ? [] : [...lines.slice(0, most - 1), `… ${lines.length - most + 1} more lines`];
}

/** Lines; size: what they must fit into. */
export function render(look: Look, sort: string, size?: Size): string[] {
  const rforks = look.rforks.filter((rfork): rfork is RunningRow => rfork.state === 'running');
  const isProgram = look.process.program !== undefined;
  const lines = isProgram ? rforks.map(programRforkLine) : look.rforks.map(rforkLine);
  const head = [heading(look), ...lines, ''];
  const threads = threadTable(rforks, sort, isProgram);
  const ports = [...portTable(rforks), ...remotePortTable(rforks)];
  if (size === undefined) return [...head, ...threads, ...ports];
  const room = size.rows - 1; // the cursor stands in the last
  const top = clip(head, Math.max(2, Math.floor(room / 2)));
  const forPorts = ports.length > 0 ? Math.min(ports.length, PORTS_SHOWN + 2) : 0;
  const table = clip(threads, Math.max(2, room - top.length - forPorts));
  const below = clip(ports, Math.max(0, room - top.length - table.length));
  return cut([...top, ...table, ...below].slice(0, room), size.columns);
}
