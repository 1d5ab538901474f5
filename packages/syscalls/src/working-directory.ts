/** working-directory.ts: where relative paths begin, as the kernel has it: Node's process.cwd() remembers it, and does not see sys.chdir(). */
import { nodeFs } from './node-fs.ts';

/** Absolute; with " (deleted)" behind it where it has been removed. (proc_pid_cwd(5)) */
export function workingDirectory(): string {
  return nodeFs.readlinkSync('/proc/self/cwd');
}
