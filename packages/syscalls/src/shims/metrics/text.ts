/** text.ts: figures in Prometheus' text format. (prometheus.io/docs/instrumenting/exposition_formats, "Text-based format") */
import type { CallMetrics } from './call-metrics.ts';

type Line = [labels: Record<string, string>, value: number, suffix?: string];

/** Names and outcomes need no escapes: they are letters, digits and underscores, or "Unknown system error -200". */
function line(name: string, [labels, value, suffix = '']: Line): string {
  const list = Object.entries(labels).map(([key, label]) => `${key}="${label}"`);
  return `${name}${suffix}{${list.join(',')}} ${value}\n`;
}

function family(name: string, type: string, help: string, lines: Line[]): string {
  if (lines.length === 0) return '';
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.map((each) => line(name, each)).join('')}`;
}

function histogram(call: CallMetrics, bounds: Float64Array): Line[] {
  const labels = { call: call.name };
  const { cumulative } = call;
  const le = (i: number): string => (i < bounds.length ? String(bounds[i]) : '+Inf');
  return [
    ...cumulative.map((n, i): Line => [{ ...labels, le: le(i) }, n, '_bucket']),
    [labels, call.seconds, '_sum'],
    [labels, call.count, '_count'],
  ];
}

export function format(calls: readonly CallMetrics[], bounds: Float64Array): string {
  const moving = calls.filter(({ direction }) => direction !== undefined);
  return [
    family(
      'libcr_syscalls_total',
      'counter',
      'System calls that have ended, by outcome.',
      calls.flatMap(({ name, outcomes }) =>
        outcomes.map(([outcome, n]): Line => [{ call: name, outcome }, n]),
      ),
    ),
    family(
      'libcr_syscalls_in_flight',
      'gauge',
      'System calls under way.',
      calls.map(({ name, inFlight }): Line => [{ call: name }, inFlight]),
    ),
    family(
      'libcr_syscall_duration_seconds',
      'histogram',
      'How long system calls took, waiting included.',
      calls.flatMap((call) => histogram(call, bounds)),
    ),
    family(
      'libcr_syscall_bytes_total',
      'counter',
      'Bytes that system calls have moved.',
      moving.map(
        ({ name, direction, bytes }): Line => [{ call: name, direction: direction as string }, bytes],
      ),
    ),
  ].join('');
}
