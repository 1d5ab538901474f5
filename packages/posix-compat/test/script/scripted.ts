/** scripted.ts: runs programs under the supervisor of programs/script/supervisor.c, which says at the end what there was. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launcherPath } from '../../src/launcher.ts';
import { compile, natively, type Result, type RunOptions, scratch } from '../programs.ts';

export interface Report {
  calls: number;
  returns: number;
  forked: number;
  cancelled: number;
  swept: number;
  most: number;
  shorts: number;
  used: number;
  begun: string[];
  /** Who has called getpgid, the first eight times. */
  names: string[];
}

export interface Scripted extends Result {
  report: Report;
}

export const supervisor: string = compile('script/supervisor');
let reports = 0;

/** PROGRAM under the launcher, under a supervisor with these rules. */
export async function underSupervisor(
  rules: string[],
  program: string,
  args: string[] = [],
  { options = [], ...rest }: RunOptions = {},
): Promise<Scripted> {
  const report = join(scratch, `report-${reports++}`);
  const all = [...rules, `report=${report}`, '--', launcherPath(), ...options, '--', program, ...args];
  const result = await natively(supervisor, all, { cwd: scratch, ...rest });
  if (!existsSync(report)) throw new Error(`the supervisor has left no report: ${JSON.stringify(result)}`);
  return { ...result, report: JSON.parse(readFileSync(report, 'utf8')) as Report };
}
