// From samples to the table: medians, the ratio, and whether it is what was expected. Printed for a terminal, or as rows of docs/benchmarks.md.
import { median } from './sample.mjs';

const UNITS = [
  ['s', 1e9],
  ['ms', 1e6],
  ['µs', 1e3],
  ['ns', 1],
];

export function time(ns) {
  const [unit, size] = UNITS.find(([, least]) => ns >= least) ?? UNITS[3];
  const value = ns / size;
  return `${value >= 1000 ? Math.round(value) : value.toPrecision(3)} ${unit}`;
}

const kibibytes = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
const FORMATS = {
  ns: time,
  bytes: (bytes) => (bytes < 10_240 ? `${Math.round(bytes)} B` : kibibytes(bytes)),
};

/**
 * row.peers: the fastest (or smallest) of those that were measured counts; the names of the others go into `skipped`. A row about ours alone has
 * none. row.unit: 'ns' if it says nothing, or 'bytes'. row.expected is one of { atMost: ratio } (ours / peer), { faster: times } (peer / ours),
 * { plus: limit } (ours less peer, ns), { most: limit } (ours alone, in the row's unit) or absent, for rows that are there for scale. A ratio
 * that was met may have been met only because the best peer is not there, so nothing is said then; one that was missed is missed.
 */
export function judge(row, samples) {
  const ours = samples[row.ours] && median(samples[row.ours]);
  const [peerName, peer] =
    row.peers
      .filter((name) => samples[name])
      .map((name) => [name, median(samples[name])])
      .sort((a, b) => a[1] - b[1])[0] ?? [];
  const { atMost, faster, plus, most } = row.expected ?? {};
  const unit = row.unit ?? 'ns';
  const judged = {
    what: row.what,
    unit,
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
  } else if (most !== undefined) {
    judged.expected = `<= ${FORMATS[unit](most)}`;
    if (ours !== undefined) judged.met = ours <= most;
  }
  return judged;
}

/** A ratio near 1 is told to a thousandth: there are rows that expect 1.01. */
function ratioText(ratio) {
  if (Number.isNaN(ratio)) return '-';
  if (ratio > 0.9 && ratio < 1.1) return `${ratio.toFixed(3)} x`;
  if (ratio >= 1) return `${ratio.toFixed(ratio < 10 ? 2 : 1)} x`;
  return ratio > 0.001 ? `1/${(1 / ratio).toPrecision(3)}` : `1/${Math.round(1 / ratio)}`;
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

/** One cell of docs/benchmarks.md: ours, the peer, the ratio, when and on which Node; a missed expectation is said. */
function cell({ ours, peer, unit, ratio, met }) {
  if (ours === undefined) return '–';
  const when = `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node.split('.')[0]}`;
  const figures = [figureText(ours, unit)];
  if (peer !== undefined) figures.push(`${figureText(peer, unit)} = ${ratioText(ratio)}`);
  return `${figures.join(' / ')}${met === false ? ', **missed**' : ''} (${when})`;
}

/** The same as rows of docs/benchmarks.md, in the column of this kind of machine; the other one is left as "–". */
export function printMarkdown(judged, { group, fsgsbase }) {
  console.log('| what | peer | expected | with FSGSBASE | without | command |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const row of judged) {
    const figures = cell(row);
    const cells = [
      row.what,
      row.peerName ? `\`${row.peerName}\`` : '–',
      row.expected === '-' ? '–' : row.expected.replace('<=', 'at most').replace(' x peer', ' x'),
      ...(fsgsbase ? [figures, '–'] : ['–', figures]),
      `\`npm run bench -- ${group}\``,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
