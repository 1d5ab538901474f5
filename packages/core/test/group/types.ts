/**
 * types.ts: what comes out of groups, for TypeScript: not run, but checked with the package's types.
 */
import { group, map, race } from '../../src/index.ts';

export function types(): unknown[] {
  const a: [string, number] = group((g) => [g.create(() => 'a'), g.create(async () => 1)] as const);
  const b: unknown[] = group((g) => {
    g.create(() => 1);
  });
  const c: number = group((g) => g.create(() => 1));
  const d: string[] = group((g) => ['x'].map((x) => g.create(() => x)));
  const e: number = group(async () => 1);
  const f: string[] = map(['a'], async (x) => x);
  const h: number = race([() => 1, async () => 2]);
  const i: { n: number } = group(() => ({ n: 1 }));
  return [a, b, c, d, e, f, h, i];
}
