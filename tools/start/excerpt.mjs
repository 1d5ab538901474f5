// The lines of a source file that stand between "// tour: begin" and "// tour: end": what is shown is what runs.
import { readFileSync } from 'node:fs';

const LEAST = 3;
const MOST = 8;

/** Throws if the file has no such lines, or more than can be taken in at a glance. */
export function excerpt(path) {
  const source = readFileSync(path, 'utf8');
  const [, block] = /^ *\/\/ tour: begin\n(.*?)^ *\/\/ tour: end$/ms.exec(source) ?? [];
  const lines = (block ?? '').trimEnd().split('\n');
  if (lines.length < LEAST || lines.length > MOST)
    throw new Error(
      `${path}: ${lines.length} lines between "tour: begin" and "tour: end", not ${LEAST} to ${MOST}`,
    );
  const indent = Math.min(...lines.filter((line) => line !== '').map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent));
}
