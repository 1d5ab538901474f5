/**
 * kind.ts: whether what `lwkt run NAME` names is a script, for Node, or any other program.
 *
 * A name that ends as a script's does is a script, wherever it stands. Behind "--" everything else is a program. Without "--" a
 * script is what node would find under that name, unless it is an ELF file, or a text whose `#!` line names something else than
 * node; what node does not find is a program, looked for in PATH.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const SCRIPT = /\.([cm]?[jt]s|tsx)$/;
const ELF = '\x7fELF';

/** The first bytes of a file; '' for what is no file, or can't be read. */
function beginning(path: string): string {
  if (!statSync(path, { bigint: true, throwIfNoEntry: false })?.isFile()) return ''; // a pipe would be emptied
  try {
    const fd = openSync(path, 'r');
    const bytes = Buffer.alloc(256);
    const length = readSync(fd, bytes);
    closeSync(fd);
    return bytes.toString('latin1', 0, length);
  } catch {
    return '';
  }
}

/** Where node finds the script NAME, or undefined. */
function found(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(resolve(name));
  } catch {
    return undefined;
  }
}

/** behind: NAME stands behind "--". */
export function isScript(name: string, behind: boolean): boolean {
  if (SCRIPT.test(name)) return true;
  const path = behind ? undefined : found(name);
  if (path === undefined) return false;
  const text = beginning(path);
  if (text.startsWith('#!')) return /\bnode\b/.test(text.slice(2).split('\n', 1)[0] as string);
  return !text.startsWith(ELF);
}
