/**
 * doctor.ts: `lwkt doctor`: collects the findings, prints them as text or JSON, and says whether libcr can
 * work here. What is looked at stands in findings.ts, the trial run in self-test.ts, what programs need in program-findings.ts.
 */
import { type Finding, look } from './findings.ts';
import { lookForPrograms } from './program-findings.ts';
import { selfTest } from './self-test.ts';

const MARKS = { ok: 'ok     ', missing: 'MISSING', note: 'note   ' };

function text(findings: Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines: string[] = [];
  for (const { state, name, value, advice } of findings) {
    lines.push(`${MARKS[state]} ${name.padEnd(width)}  ${value}`);
    if (advice) lines.push(`        ${' '.repeat(width)} → ${advice}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Prints what there is. Answers whether everything essential is. */
export async function doctor(json: boolean): Promise<boolean> {
  const findings = [...(await look()), ...(await selfTest()), ...lookForPrograms()];
  const ok = findings.every(({ state }) => state !== 'missing');
  if (json) process.stdout.write(`${JSON.stringify({ ok, findings }, null, 2)}\n`);
  else {
    process.stdout.write(text(findings));
    process.stdout.write(ok ? 'libcr works here.\n' : 'libcr does not work here: see what is MISSING.\n');
  }
  return ok;
}
