// What vitest said of failures, out of all that a run has printed: for the end of a log, as some readers are shown only that.

const clip = (line) => (line.length > 300 ? `${line.slice(0, 300)} …` : line);

const MOST_LINES = 80; // what shows the end of a log shows about a hundred

/** Of one of `runs` that have failed. Where vitest said nothing of failures (it was killed, or is not what ran), the last ones. */
export function failuresIn(printed, runs) {
  const most = Math.ceil(MOST_LINES / runs);
  const lines = printed.trimEnd().split('\n').map(clip);
  const from = lines.findIndex((line) => /Failed (Suites|Tests)|Unhandled Errors/.test(line));
  return from < 0 ? lines.slice(-most) : lines.slice(from, from + most);
}
