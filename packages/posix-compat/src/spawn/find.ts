/**
 * find.ts: whether there is such a program, as execvp looks for it. child_process.spawn tells its caller of one that is not there by an
 * event, and so does spawn here; the launcher could only end with 127.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

function codeOf(path: string): 'ENOENT' | 'EACCES' | undefined {
  try {
    if (!statSync(path).isFile()) return 'EACCES';
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'EACCES' : 'ENOENT';
  }
}

/** Why command can't be run in the folder cwd, or undefined. */
export function whyNot(command: string, cwd: string, path: string): 'ENOENT' | 'EACCES' | undefined {
  if (command.includes('/')) return codeOf(resolve(cwd, command));
  let why: 'ENOENT' | 'EACCES' = 'ENOENT';
  for (const folder of path.split(delimiter)) {
    const code = codeOf(resolve(cwd, folder, command));
    if (code === undefined) return undefined;
    if (code === 'EACCES') why = code;
  }
  return why;
}
