// What vitest said of failures, out of all that a run has printed: for the end of a log, as some readers are shown only that. Last of all which tests it was.
import { stripVTControlCharacters } from 'node:util';

const FAILURES = /Failed (Suites|Tests)|Unhandled Errors/;
const MOST_LINES = 60; // what shows the end of a log shows about a hundred, of 120 characters
const clip = (line) => (line.length > 200 ? `${line.slice(0, 200)} …` : line);

/** Whether vitest said that something had failed, or turbo that vitest had. */
export const saysFailed = (printed) => FAILURES.test(printed) || printed.includes('ERROR');

/** Of one of `runs` that have failed. Where vitest said nothing of failures (it was killed, or is not what ran), the last lines. */
export function failuresIn(printed, runs) {
  const most = Math.ceil(MOST_LINES / runs);
  const all = stripVTControlCharacters(printed).trimEnd().split('\n');
  const lines = all.filter((line) => !line.startsWith('npm error')).map(clip);
  const from = lines.findIndex((line) => FAILURES.test(line));
  if (from < 0) return lines.slice(-most);
  const names = new Set(lines.filter((line) => line.startsWith(' FAIL ')));
  return [...lines.slice(from, from + most), ...[...names].slice(0, 20)];
}
