/**
 * summary.ts: counts the system calls and their time, for the table at the end of `lwkt trace`. The layout is
 * that of strace -c.
 */
import type { Syscalls } from './packages.ts';

interface Row {
  calls: number;
  errors: number;
  nanoseconds: bigint;
}

type Shim = ReturnType<Syscalls['defineShim']>;

export interface Summary {
  shim: Shim;
  /** The table, with a newline at its end. */
  table(): string;
}

const COLUMNS = '% time     seconds  usecs/call     calls    errors syscall';
const RULE = '------ ----------- ----------- --------- --------- ----------------';

function line(share: string, row: Row, name: string, perCall: string): string {
  const seconds = (Number(row.nanoseconds) / 1e9).toFixed(6);
  return [
    share.padStart(6),
    seconds.padStart(11),
    perCall.padStart(11),
    String(row.calls).padStart(9),
    (row.errors ? String(row.errors) : '').padStart(9),
    name,
  ].join(' ');
}

function percent(part: bigint, whole: bigint): string {
  return (whole === 0n ? 0 : (Number(part) * 100) / Number(whole)).toFixed(2);
}

function format(rows: Map<string, Row>): string {
  const total: Row = { calls: 0, errors: 0, nanoseconds: 0n };
  for (const row of rows.values()) {
    total.calls += row.calls;
    total.errors += row.errors;
    total.nanoseconds += row.nanoseconds;
  }
  const sorted = [...rows].sort(([, a], [, b]) => Number(b.nanoseconds - a.nanoseconds) || b.calls - a.calls);
  const lines = sorted.map(([name, row]) =>
    line(
      percent(row.nanoseconds, total.nanoseconds),
      row,
      name,
      String(Math.round(Number(row.nanoseconds) / 1000 / row.calls)),
    ),
  );
  return [COLUMNS, RULE, ...lines, RULE, line('100.00', total, 'total', ''), ''].join('\n');
}

/** A shim that counts, and its table. */
export function summaryShim({ defineShim }: Syscalls): Summary {
  const rows = new Map<string, Row>();
  const shim = defineShim({
    name: 'summary',
    on: 'all',
    shim: (next) => (msg) => {
      let row = rows.get(msg.name);
      if (row === undefined) {
        row = { calls: 0, errors: 0, nanoseconds: 0n };
        rows.set(msg.name, row);
      }
      row.calls++;
      const start = process.hrtime.bigint();
      let reply = -1;
      try {
        reply = next(msg);
        return reply;
      } finally {
        row.nanoseconds += process.hrtime.bigint() - start;
        if (reply < 0) row.errors++;
      }
    },
  });
  return { shim, table: () => format(rows) };
}
