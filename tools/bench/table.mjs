// From samples to the table: medians, the ratio, and whether it is what was expected.
import { median } from './sample.mjs';

const UNITS = [
  ['s', 1e9],
  ['ms', 1e6],
  ['µs', 1e3],
  ['ns', 1],
];

export function time(ns) {
  const [unit, size] = UNITS.find(([, least]) => ns >= least) ?? UNITS[3];
  return `${(ns / size).toPrecision(3)} ${unit}`;
}

const FORMATS = { ns: time, bytes: (bytes) => `${Math.round(bytes)} B` };

/**
 * row.peers: the fastest (or smallest) of those that were measured counts; the names of the others go into `skipped`. row.unit: 'ns' if it
 * says nothing, or 'bytes'. row.expected is one of { atMost: ratio } (ours / peer), { faster: times } (peer / ours), { plus: limit } (ours
 * less peer, ns), { ns: limit } (ours alone) or absent, for rows that are there for scale. A ratio that was met may have been met only because the best peer is not there, so
 * nothing is said then; one that was missed is missed.
 */
export function judge(row, samples) {
  const ours = samples[row.ours] && median(samples[row.ours]);
  const [peerName, peer] =
    row.peers
      .filter((name) => samples[name])
      .map((name) => [name, median(samples[name])])
      .sort((a, b) => a[1] - b[1])[0] ?? [];
  const { atMost, faster, plus, ns } = row.expected ?? {};
  const judged = {
    what: row.what,
    unit: row.unit ?? 'ns',
    ours,
    peer,
    peerName,
    ratio: ours / peer,
    expected: '-',
    met: undefined,
    skipped: [row.ours, ...row.peers].filter((name) => !samples[name]),
  };
  const compare = (met) => {
    if (Number.isNaN(judged.ratio) || (met && judged.skipped.length > 0)) return undefined;
    return met;
  };

  if (atMost !== undefined) {
    judged.expected = `<= ${atMost} x peer`;
    judged.met = compare(ours <= atMost * peer);
  } else if (faster !== undefined) {
    judged.expected = `${faster} x faster`;
    judged.met = compare(ours * faster <= peer);
  } else if (plus !== undefined) {
    judged.expected = `<= peer + ${time(plus)}`;
    judged.met = compare(ours <= peer + plus);
  } else if (ns !== undefined) {
    judged.expected = `<= ${time(ns)}`;
    if (ours !== undefined) judged.met = ours <= ns;
  }
  return judged;
}

function ratioText(ratio) {
  if (Number.isNaN(ratio)) return '-';
  return ratio >= 1 ? `${ratio.toFixed(2)} x` : `1/${(1 / ratio).toPrecision(3)}`;
}

function verdict({ met, skipped }) {
  const words = [];
  if (met !== undefined) words.push(met ? 'met' : 'missed');
  if (skipped.length > 0) words.push(`skipped: ${skipped.join(', ')}`);
  return words.join('; ');
}

const figureText = (figure, unit) => (figure === undefined ? '-' : FORMATS[unit](figure));

export function printTable(judged) {
  const lines = [
    ['what', 'ours', 'peer', 'which peer', 'ours/peer', 'expected', ''],
    ...judged.map((row) => [
      row.what,
      figureText(row.ours, row.unit),
      figureText(row.peer, row.unit),
      row.peerName ?? '-',
      ratioText(row.ratio),
      row.expected,
      verdict(row),
    ]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines)
    console.log(`  ${line.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd());
}
