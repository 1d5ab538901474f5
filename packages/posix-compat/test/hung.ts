/**
 * hung.ts: what can be seen of processes that do not go on, before a test kills them: so that what happens once in many runs, on another machine, leaves more than its name.
 * The kernel's view is there always; the lwps' stacks only where gdb is and may look.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const ALL_STACKS = 20_000; // ms, after which gdb looks at no further process: the test has to fail before its own time is over
const GDB_TIMEOUT = 20_000;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return ''; // it has ended, or is not ours to read
  }
}

/** The number behind the name of /proc/PID/stat: 1 is the parent, 2 the process group. */
const fieldOf = (pid: string, index: number): number =>
  Number(
    read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ')[index],
  );

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

function processesOf(group: number): string[] {
  return list('/proc').filter((name) => /^\d+$/.test(name) && fieldOf(name, 2) === group);
}

/** A line for each kernel thread: its state, the call that it is in, and where in the kernel. */
function threadsOf(pid: string): string {
  const lines = list(`/proc/${pid}/task`).map((tid) => {
    const task = `/proc/${pid}/task/${tid}`;
    const state = /^State:\s*(.*)$/m.exec(read(`${task}/status`))?.[1];
    return `    ${tid} ${state}, call ${read(`${task}/syscall`)}, in ${read(`${task}/wchan`)}\n`;
  });
  return lines.join('');
}

function stacksOf(pid: string): string {
  const commands = ['info lwps', 'thread apply all bt 16', 'lwp all bt 16'];
  const trusted = ['-iex', 'set auto-load safe-path /']; // libcr-gdb.py beside whichever launcher it is
  const args = [
    '-q',
    '-nx',
    '-batch',
    ...trusted,
    '-p',
    pid,
    ...commands.flatMap((command) => ['-ex', command]),
  ];
  try {
    return execFileSync('gdb', args, {
      timeout: GDB_TIMEOUT,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString();
  } catch (error) {
    return `gdb: ${(error as Error).message}\n`;
  }
}

/** What all processes of a group are at. Blocks meanwhile. */
export function describeHung(group: number): string {
  const pids = processesOf(group);
  const views = pids.map((pid) => {
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
    return `process ${pid} of ${fieldOf(pid, 1)}: ${command}\n${threadsOf(pid)}`;
  });
  const until = Date.now() + ALL_STACKS;
  const stacks = pids.map((pid) => (Date.now() < until ? `stacks of ${pid}:\n${stacksOf(pid)}` : ''));
  return [...views, ...stacks].join('');
}
