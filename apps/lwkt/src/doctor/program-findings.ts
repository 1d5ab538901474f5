/**
 * program-findings.ts: what `lwkt run PROGRAM` needs of this machine: the launcher, a kernel that gives system calls back (syscall
 * user dispatch), and FSGSBASE, with which lwps are switched without a system call. Scripts need none of it, so what is not there
 * is a note.
 */
import { spawnSync } from 'node:child_process';
import { release } from 'node:os';
import { hasFsgsbase, launcherPath } from '@libcr/posix-compat/spawn';
import { type Finding, kernelAtLeast } from './findings.ts';

const TIMEOUT = 10_000;

function fsgsbase(): Finding {
  const name = 'FSGSBASE';
  if (hasFsgsbase())
    return { state: 'ok', name, value: "used: a switch between a program's threads makes no system call" };
  return {
    state: 'note',
    name,
    value: `not used: ${kernelAtLeast(5, 9) ? 'the processor or the kernel does not offer it' : 'Linux 5.9 or later offers it'}`,
    advice: "a switch between a program's threads makes a system call",
  };
}

/** Tries it with a program that is there: this Node. */
function dispatch(launcher: string): Finding {
  const name = 'programs';
  const { status, stdout, stderr, error } = spawnSync(launcher, ['--', process.execPath, '--version'], {
    encoding: 'utf8',
    timeout: TIMEOUT,
  });
  if (status === 0 && stdout === `${process.version}\n`)
    return { state: 'ok', name, value: `run under libcr: Linux ${release()} dispatches system calls to it` };
  const advice = kernelAtLeast(5, 11)
    ? 'scripts run; for programs the container or sandbox has to allow prctl(PR_SET_SYSCALL_USER_DISPATCH)'
    : 'scripts run; programs need Linux 5.11 or later';
  const said = stderr.trim().replace(/^libcr: /, '') || `the launcher ended with status ${status}`;
  return { state: 'note', name, value: error?.message ?? said, advice };
}

export function lookForPrograms(): Finding[] {
  let launcher: string;
  try {
    launcher = launcherPath();
  } catch (error) {
    const advice = 'scripts run; in a checkout of libcr, "npm run build" makes the launcher';
    return [{ state: 'note', name: 'launcher', value: (error as Error).message, advice }];
  }
  return [{ state: 'ok', name: 'launcher', value: launcher }, dispatch(launcher), fsgsbase()];
}
