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

/**
 * row.peers: the fastest of them counts. row.expected is one of { atMost: ratio } (ours / peer), { faster: times } (peer / ours),
 * { ns: limit } (ours alone) or absent, for rows that are there for scale.
 */
export function judge(row, samples) {
  const ours = median(samples[row.ours]);
  const [peerName, peer] = row.peers
    .map((name) => [name, median(samples[name])])
    .sort((a, b) => a[1] - b[1])[0];
  const { atMost, faster, ns } = row.expected ?? {};
  const judged = { what: row.what, ours, peer, peerName, ratio: ours / peer, expected: '-', met: undefined };

  if (atMost !== undefined) {
    judged.expected = `<= ${atMost} x peer`;
    judged.met = ours <= atMost * peer;
  } else if (faster !== undefined) {
    judged.expected = `${faster} x faster`;
    judged.met = ours * faster <= peer;
  } else if (ns !== undefined) {
    judged.expected = `<= ${time(ns)}`;
    judged.met = ours <= ns;
  }
  return judged;
}

function ratioText(ratio) {
  return ratio >= 1 ? `${ratio.toFixed(2)} x` : `1/${(1 / ratio).toPrecision(3)}`;
}

const verdict = (met) => (met === undefined ? '' : met ? 'met' : 'missed');

export function printTable(judged) {
  const lines = [
    ['what', 'ours', 'peer', 'which peer', 'ours/peer', 'expected', ''],
    ...judged.map((row) => [
      row.what,
      time(row.ours),
      time(row.peer),
      row.peerName,
      ratioText(row.ratio),
      row.expected,
      verdict(row.met),
    ]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines)
    console.log(`  ${line.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd());
}
