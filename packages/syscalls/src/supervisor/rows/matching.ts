/** matching.ts: the part of a rule that says which calls (shims/match.ts), as a row has it. */
import type { Match } from '../../shims/match.ts';
import { hasPath } from '../../shims/paths/index.ts';
import { aboutOf } from './about.ts';
import { globsBytes } from './globs.ts';
import type { RowHead, RowMemory } from './row-memory.ts';

/** The head of a rule's rows; undefined where the rule has to be asked. */
export function headOf(memory: RowMemory, rule: Match): Pick<RowHead, 'fd' | 'globs'> | undefined {
  const { path, fd, when } = rule;
  if (when !== undefined || (fd ?? 0) >= 2 ** 31) return undefined;
  if (path === undefined) return { fd };
  const globs = globsBytes(path);
  return globs && { fd, globs: memory.globs(globs) };
}

/** Whether a rule's row can be about a call of this number: 'never', or 'unknown' where the rule has to be asked. */
export function mayBeAbout({ path, fd }: Match, number: number): 'rows' | 'never' | 'unknown' {
  const { fd: argument, paths } = aboutOf(number);
  if (fd !== undefined && argument < 0) return 'never';
  if (path === undefined) return 'rows';
  if (!hasPath(number)) return 'never';
  return paths === undefined || paths.length === 0 ? 'unknown' : 'rows';
}
