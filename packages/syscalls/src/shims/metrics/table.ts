/** table.ts: figures as a table for people, in the layout of `strace -c` and `lwkt trace`: what took longest first. */
import type { CallMetrics } from './call-metrics.ts';

const COLUMNS = '% time     seconds  usecs/call     calls    errors syscall\n';
const RULE = '------ ----------- ----------- --------- --------- ----------------\n';

interface Row {
  name: string;
  seconds: number;
  count: number;
  errors: number;
}

function line({ name, seconds, count, errors }: Row, share: number, perCall: string): string {
  return [
    share.toFixed(2).padStart(6),
    seconds.toFixed(6).padStart(11),
    perCall.padStart(11),
    String(count).padStart(9),
    (errors > 0 ? String(errors) : '').padStart(9),
    `${name}\n`,
  ].join(' ');
}

export function tableOf(calls: readonly CallMetrics[]): string {
  const rows = calls
    .filter(({ count }) => count > 0)
    .map(({ name, seconds, count, outcomes }): Row => {
      const errors = outcomes.reduce((sum, [outcome, n]) => (outcome === 'ok' ? sum : sum + n), 0);
      return { name, seconds, count, errors };
    });
  const total: Row = { name: 'total', seconds: 0, count: 0, errors: 0 };
  for (const key of ['seconds', 'count', 'errors'] as const) for (const row of rows) total[key] += row[key];
  const lines = rows
    .sort((a, b) => b.seconds - a.seconds || b.count - a.count)
    .map((row) =>
      line(
        row,
        total.seconds === 0 ? 0 : (row.seconds * 100) / total.seconds,
        String(Math.round((row.seconds / row.count) * 1e6)),
      ),
    );
  return [COLUMNS, RULE, ...lines, RULE, line(total, 100, '')].join('');
}
