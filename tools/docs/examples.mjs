// The examples in a document, and whether a run of one has printed what it should.
//
// An example is a fenced block whose first line says js or ts and the word "run". If the next fenced block is a text block, that is what the
// example must print on stdout, to the letter; without one it only has to end with exit code 0. Other blocks are not run.
import { readFileSync } from 'node:fs';

/** All fenced blocks: { info, text, line }. */
function blocks(markdown) {
  const found = [];
  let open;
  markdown.split('\n').forEach((text, i) => {
    const fence = /^\s*```(.*)$/.exec(text);
    if (fence && open) {
      found.push({ ...open, text: open.lines.map((line) => `${line}\n`).join('') });
      open = undefined;
    } else if (fence) open = { info: fence[1].trim(), lines: [], line: i + 1 };
    else open?.lines.push(text);
  });
  return found;
}

/** Of a file: { file, line, language, text, output }. */
export function examples(file) {
  const all = blocks(readFileSync(file, 'utf8'));
  return all.flatMap(({ info, text, line }, i) => {
    const [language, ...words] = info.split(/\s+/);
    if (!words.includes('run')) return [];
    if (language !== 'js' && language !== 'ts')
      throw new Error(`${file}:${line}: "${info}": only js and ts can run`);
    const next = all[i + 1];
    return [{ file, line, language, text, output: next?.info === 'text' ? next.text : undefined }];
  });
}

/** What is wrong with an example's run; undefined if nothing is. */
export function fault({ output }, { status, signal, stdout, stderr }) {
  if (status !== 0) return `ended with ${signal ?? `exit code ${status}`}\n${stdout}${stderr}`;
  if (output !== undefined && stdout !== output) return `printed\n${stdout}instead of\n${output}${stderr}`;
  return undefined;
}
