// Runs the benchmarks and prints one table: what ours costs, what the peer costs, and how the ratio compares with what was expected.
//
// It measures and reports; it is not a test, and a row that misses its expectation does not make it fail. It fails (exit code 1) when a
// subject crashes, when two subjects that must agree print different outputs, or when something it needs has not been built. A peer that is
// not installed is skipped: it is said, and its row says so too.
//
// Invariant: every subject runs in a child process of its own, and the subjects of a group take turns: ours, peer, ours, peer, round by
// round in a fixed order. Whatever slows the machine for a while slows both sides.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runChild } from './child.mjs';
import { hasFsgsbase, machine } from './machine.mjs';
import { judge, printMarkdown, printTable } from './table.mjs';

const root = join(import.meta.dirname, '..', '..');
const GROUPS = [
  'core',
  'syscalls',
  'posix',
  'programs',
  'script',
  'script-rows',
  'record',
  'treesum',
  'lwkt',
  'signals',
  'nats',
  'start',
];

const help = `usage: npm run bench [-- [options] [GROUP...]]

Groups: ${GROUPS.join(', ')}; all of them if none is named.
"lwkt" compares with C and C++ libraries and with Go; what is not installed is skipped. On Debian,
tools/bench/install-peers.sh installs it. "programs" needs what tools/install-programs.sh installs.

  --rounds N   how often each subject runs (default 5; fewer are good for a quick look only)
  --row TEXT   only rows whose description contains TEXT
  --mib N      size of the file that the compressors of "programs" get (default 256)
  --markdown   print rows for docs/benchmarks.md
  --json FILE  write everything that was measured to FILE as well
  --help       this text
`;

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '5' },
        row: { type: 'string', default: '' },
        json: { type: 'string' },
        mib: { type: 'string', default: '256' },
        markdown: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const unknown = positionals.find((name) => !GROUPS.includes(name));
    if (unknown) throw new Error(`there is no group "${unknown}"`);
    for (const name of ['rounds', 'mib'])
      if (!/^[1-9]\d*$/.test(values[name])) throw new Error(`--${name} must be a whole number from 1 on`);
    return {
      ...values,
      rounds: Number(values.rounds),
      mib: Number(values.mib),
      groups: positionals.length ? GROUPS.filter((name) => positionals.includes(name)) : GROUPS,
    };
  } catch (error) {
    console.error(`${error.message}\n\n${help}`);
    process.exit(2);
  }
}

const progress = (text) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`);

/** The subjects of a row. It names one by "subject", or one of its several figures by "subject: figure". */
const subjectsOf = (row) => [row.ours, ...row.peers].map((name) => name.split(': ')[0]);

/**
 * Each round runs each subject once. Returns the samples by subject name, what went wrong with those that have none, and why others are
 * absent. Throws where subjects disagree about their output.
 */
async function measure(group, rows, { rounds, mib }, scratch) {
  const wanted = new Set(rows.flatMap(subjectsOf));
  const all = Object.keys(group.subjects).filter((name) => wanted.has(name));
  const context = (await group.prepare?.(scratch, all, { mib })) ?? {};
  const absent = new Map(Object.entries(context.absent ?? {}));
  const names = all.filter((name) => !absent.has(name));
  const samples = {};
  const failures = new Map();
  const outputs = new Map();

  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      if (failures.has(name)) continue;
      progress(`${group.name}: round ${round} of ${rounds}, ${name}`);
      try {
        const { figures, output } = runChild(group.subjects[name], context, { root, scratch });
        for (const [figure, value] of Object.entries(figures)) {
          const key = figure ? `${name}: ${figure}` : name;
          samples[key] = [...(samples[key] ?? []), value];
        }
        if (output !== undefined) outputs.set(name, output);
      } catch (error) {
        failures.set(name, error.message);
      }
    }
  }
  progress('');
  if (new Set(outputs.values()).size > 1)
    throw new Error(
      'the subjects do different work, so they are not compared:\n' +
        [...outputs].map(([name, output]) => `  ${name}: ${output}`).join('\n'),
    );
  return { samples, failures, absent };
}

const options = readOptions();
if (options.help) {
  console.log(help);
  process.exit(0);
}

const header = await machine();
const scratch = mkdtempSync(join(tmpdir(), 'libcr-bench-'));
const results = [];
const problems = [];

console.log(`${header.join('\n')}\n`);
try {
  for (const name of options.groups) {
    const { group } = await import(`./groups/${name}.mjs`);
    const rows = group.rows.filter((row) => row.what.includes(options.row));
    const missing = group.needs.filter((path) => !existsSync(join(root, path)));
    if (rows.length === 0) continue;
    if (missing.length > 0) {
      problems.push(`${name}: not measured, ${missing.join(' and ')} is missing ("npm run build" makes it)`);
      continue;
    }
    try {
      const { samples, failures, absent } = await measure(group, rows, options, scratch);
      for (const [subject, message] of failures) problems.push(`${name}: "${subject}" failed: ${message}`);
      const judged = rows
        .filter((row) => !subjectsOf(row).some((subject) => failures.has(subject)))
        .map((row) => judge(row, samples));
      for (const [subject, why] of absent) console.log(`${name}: "${subject}" skipped: ${why}`);
      results.push({ group: name, samples, rows: judged });
      console.log(`${name} (${group.what})`);
      if (options.markdown) printMarkdown(judged, { group: name, fsgsbase: await hasFsgsbase() });
      else printTable(judged);
      console.log('');
    } catch (error) {
      problems.push(`${name}: ${error.message}`);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (options.rounds < 5) console.log(`Only ${options.rounds} of 5 rounds: a quick look, not a measurement.`);
for (const problem of problems) console.error(problem);
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify({ machine: header, rounds: options.rounds, results }, null, 2)}\n`,
  );
process.exitCode = problems.length > 0 ? 1 : 0;
