/**
 * bad-pointers.test.ts: every system call of the table with pointers to nothing in place of each pointer that it takes answers what it answers natively, mostly EFAULT. What the arguments are comes from
 * the table that the trace prints by. Calls that are not tried are listed with the reason. Who tries is nobody, even if root runs this: the machine's clock is not to be set by a pointer that happens to be good.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compile, natively, underLibcr } from '../programs.ts';
import { underSupervisor } from '../script/scripted.ts';

const generated = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../../syscalls/native/${path}`, import.meta.url)), 'utf8');

/** What is no pointer, of what the trace knows. */
const NUMBERS =
  /^(FD|SIZE|FLAGS|OCTAL|INT|LONG|SIGNAL|PROTOCOL|SOCKET_LEVEL|SOCKET_OPTION|OPTION|ID|FILE_MODE|DEVICE|PRCTL)$/;

const KILLS = 'it ends or stops the process, whatever its arguments';
const MAKES = 'its pointers are what a new process begins with';
const ENOSYS = 'libcr answers ENOSYS on purpose';
const skipped: Record<string, string> = {
  rt_sigreturn: KILLS,
  uretprobe: KILLS,
  uprobe: KILLS,
  ptrace: 'PTRACE_TRACEME stops it at its next signal',
  seccomp: 'what it is given makes the strict mode, in which nothing else may be called',
  clone: MAKES,
  keyctl: "what it finds depends on the session's keys, and on what address is taken for a key's number",
  rseq: ENOSYS,
  ...Object.fromEntries(
    ['shmget', 'semget', 'msgget'].map((name) => [name, 'it takes no pointers, and what it makes stays']),
  ),
};

/** What the other arguments must not be, as that would wait for ever, or change more than the process that tries. */
const WAITS = 'v1';
const CHANGES = '0';
const OF_ANOTHER = '0v';
const modes: Record<string, string> = {
  ...Object.fromEntries(['select', 'pselect6', 'ppoll', 'futex'].map((name) => [name, WAITS])),
  ...Object.fromEntries(
    ['prlimit64', 'settimeofday', 'adjtimex', 'clock_adjtime'].map((name) => [name, CHANGES]),
  ),
  ...Object.fromEntries(
    [
      ...['sched_setparam', 'sched_setscheduler', 'sched_setattr', 'sched_setaffinity', 'sched_getaffinity'],
      ...['rt_sigqueueinfo', 'rt_tgsigqueueinfo', 'move_pages', 'migrate_pages', 'get_robust_list', 'wait4'],
      ...['process_vm_readv', 'process_vm_writev', 'waitid', 'kcmp', 'quotactl', 'setitimer'],
    ].map((name) => [name, OF_ANOTHER]),
  ),
};

/** What the trace does not know. */
const otherKinds: Record<string, string> = { futex: 'pnnppn' };

/** NAME NUMBER KINDS MODES, for programs/bad-pointers.c. */
function calls(): string[] {
  const names = new Map(
    [...generated('src/table/generated/names.h').matchAll(/^\t\[(\d+)\] = "(\w+)",$/gm)].map(
      ([, number, name]) => [number, name as string],
    ),
  );
  const rows = generated('program/generated/arguments.h').matchAll(/^\t\[(\d+)\] = \{(\d), \{(.*)\}\},$/gm);
  return [...rows].flatMap(([, number, count, list]) => {
    const name = names.get(number) as string;
    const formats = [...(list as string).matchAll(/FORMAT_(\w+)/g)].map(([, format]) => format as string);
    const unknown = formats.length === 6 && formats.every((format) => format === 'HEX');
    const known = formats
      .slice(0, Number(count))
      .map((format) => {
        if (format === 'FD') return 'f';
        if (format === 'SIZE') return 's';
        if (format === 'HEX') return unknown ? 'p' : 'n';
        return NUMBERS.test(format) ? 'n' : 'p';
      })
      .join('');
    const kinds = otherKinds[name] ?? known;
    if (!kinds.includes('p') || skipped[name]) return [];
    return [`${name} ${number} ${kinds} ${modes[name] ?? '0v1'}`];
  });
}

describe('each call of the table', () => {
  const tried = calls();
  test.each([
    [1, 'without a supervisor'],
    [2, 'without a supervisor'],
    [4, 'without a supervisor'],
    [1, 'by way of one'],
    [2, 'by way of one'],
  ])('with %s rforks, %s', async (rforks, way) => {
    expect(tried.length).toBeGreaterThan(250);
    const program = compile('bad-pointers');
    const input = `${tried.join('\n')}\n`;
    const native = await natively(program, [], { input });
    const lines = native.stdout.trimEnd().split('\n');
    expect(lines.length).toBe(tried.length);
    expect(lines.filter((line) => line.includes('EFAULT')).length).toBeGreaterThan(150);
    expect(lines.filter((line) => / (killed|ended) by /.test(line))).toEqual([]);
    const options = { input, options: [`--rforks=${rforks}`] };
    const { stdout, stderr, status } = await (way === 'by way of one'
      ? underSupervisor(['call'], program, [], options)
      : underLibcr(program, [], options));
    expect(stdout.trimEnd().split('\n')).toEqual(lines);
    expect([stderr, status]).toEqual([native.stderr, 0]);
  });
});
