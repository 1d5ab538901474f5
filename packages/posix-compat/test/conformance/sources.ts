/** sources.ts: the conformance programs: the *.c and *.cc in the rooms of this folder, by the names that they have in it. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratch } from '../programs.ts';

export const folder: string = fileURLToPath(new URL('.', import.meta.url));
export const sources: string[] = readdirSync(folder, { encoding: 'utf8', recursive: true })
  .filter((name) => /\.cc?$/.test(name))
  .sort();

/** The program, of this process' own. Run without arguments it prints the names of its behaviours. */
export function compileSource(source: string): string {
  const program = join(scratch, `conformance-${source.replace('/', '-')}.out`);
  const [compiler, standard] = extname(source) === '.cc' ? ['g++', 'c++20'] : ['gcc', 'gnu11'];
  const args = [`-std=${standard}`, '-O1', '-pthread', '-o', program, join(folder, source), '-lm', '-lrt'];
  execFileSync(compiler as string, args);
  return program;
}
