/**
 * lowers.ts: the lower directories as one, by paths: what a name leads to in the uppermost of them that has it, without what their whiteouts hide.
 *
 * Paths are byte strings from the overlay's directory on: '' is that, '/a/b' something below. Invariant: nothing is written there, and a directory's layers are looked at once.
 */
import { constants as c } from '../../../generated/constants.ts';
import { isOpaque, isWhiteout, type LayerStat, lstatOf, namesIn } from '../layer.ts';

export interface Lower {
  /** Where it is. */
  readonly path: string;
  readonly stat: LayerStat;
}

export const typeOf = ({ mode }: { mode: bigint }): number => Number(mode) & c.S_IFMT;
export const isDirectory = (stat: { mode: bigint }): boolean => typeOf(stat) === c.S_IFDIR;

export function split(path: string): [parent: string, name: string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, slash), path.slice(slash + 1)];
}

export class Lowers {
  readonly layers: readonly string[];
  /** The layers' directories that show at a path, the uppermost first. */
  private readonly sources = new Map<string, readonly string[]>();

  constructor(layers: readonly string[]) {
    this.layers = layers;
    this.sources.set('', layers);
  }

  /** undefined: there is nothing. */
  find(path: string): Lower | undefined {
    if (path === '') {
      const first = this.layers[0] as string;
      return { path: first, stat: lstatOf(first) as LayerStat };
    }
    const [parent, name] = split(path);
    for (const source of this.sourcesOf(parent)) {
      const stat = lstatOf(`${source}/${name}`);
      if (stat === undefined) continue;
      return isWhiteout(stat) ? undefined : { path: `${source}/${name}`, stat };
    }
    return undefined;
  }

  /** The names in a directory; [] where there is none. */
  names(path: string): string[] {
    const names = new Set(this.sourcesOf(path).flatMap((source) => namesIn(source)));
    return [...names].filter((name) => this.find(`${path}/${name}`) !== undefined);
  }

  private sourcesOf(path: string): readonly string[] {
    const known = this.sources.get(path);
    if (known !== undefined) return known;
    const [parent, name] = split(path);
    const found: string[] = [];
    for (const source of this.sourcesOf(parent)) {
      const own = `${source}/${name}`;
      const stat = lstatOf(own);
      if (stat === undefined) continue;
      if (!isDirectory(stat)) break; // a whiteout, too
      found.push(own);
      if (isOpaque(own)) break;
    }
    this.sources.set(path, found);
    return found;
  }
}
