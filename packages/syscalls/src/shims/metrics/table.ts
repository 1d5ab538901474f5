/** table.ts: figures as a table for people, what took longest first. The idea: `strace -c`. */
import type { CallMetrics } from './call-metrics.ts';

const WIDTHS = [12, 12, 10, 10];
const HEAD = ['seconds', 'us/call', 'calls', 'errors', 'system call'];

const row = (columns: readonly string[]): string =>
  `${columns.map((column, i) => column.padStart(WIDTHS[i] ?? 0)).join(' ')}\n`;

function line(name: string, seconds: number, count: number, errors: number): string {
  const each = count === 0 ? 0 : (seconds / count) * 1e6;
  return row([seconds.toFixed(6), each.toFixed(1), String(count), errors === 0 ? '' : String(errors), name]);
}

export function tableOf(calls: readonly CallMetrics[]): string {
  const lines = calls.map(({ name, seconds, count, outcomes }) => ({
    name,
    seconds,
    count,
    errors: outcomes.reduce((sum, [outcome, n]) => (outcome === 'ok' ? sum : sum + n), 0),
  }));
  lines.sort((a, b) => b.seconds - a.seconds);
  const total = (key: 'seconds' | 'count' | 'errors'): number =>
    lines.reduce((sum, each) => sum + each[key], 0);
  return [
    row(HEAD),
    ...lines.map(({ name, seconds, count, errors }) => line(name, seconds, count, errors)),
    line('total', total('seconds'), total('count'), total('errors')),
  ].join('');
}
