/**
 * pattern.ts: a pattern of glob, cut at its slashes, with the places in it that the names of a directory are tried at.
 *
 * What a segment means is minimatch's to say, which node:fs has built in. Not here: the walk over the directories (walk.ts).
 *
 * Invariant: a Pattern does not change; a step further is another one.
 */
import { isAbsolute } from 'node:path';
import { GLOBSTAR, Minimatch } from 'minimatch';

/** A segment: the name itself, a regular expression for it, or GLOBSTAR ("**"). */
type Segment = Minimatch['set'][number][number];

/** With node:fs' options; a backslash is a slash. */
export const matcherOf = (pattern: string): Minimatch =>
  new Minimatch(pattern, {
    windowsPathsNoEscape: true,
    nonegate: true,
    nocomment: true,
    optimizationLevel: 2,
    platform: 'linux',
  });

type Numbers = ReadonlySet<number>;
const NONE: Numbers = new Set();
const START: Numbers = new Set([0]);

export class Pattern {
  /** The segments that come next. Several, as a "**" may go on or end. */
  readonly indexes: Numbers;
  /** Those of the segments that are "**" and have come to a link, which they do not pass. */
  readonly links: Numbers;
  /** With followSymlinks: the directories that the way here led through. */
  readonly realpaths: ReadonlySet<string>;
  readonly isAbsolute: boolean;
  private readonly segments: readonly Segment[];
  private readonly texts: readonly string[];

  private constructor(
    segments: readonly Segment[],
    texts: readonly string[],
    indexes: Numbers,
    links: Numbers,
    realpaths: ReadonlySet<string>,
  ) {
    this.segments = segments;
    this.texts = texts;
    this.indexes = indexes;
    this.links = links;
    this.realpaths = realpaths;
    this.isAbsolute = isAbsolute(texts.join('/'));
  }

  /** The patterns that a pattern with braces stands for, each at its start. */
  static all(text: string): Pattern[] {
    const { set, globParts } = matcherOf(text);
    return set.map((segments, i) => new Pattern(segments, globParts[i] ?? [], START, NONE, new Set()));
  }

  /** The same pattern, at other places. */
  at(indexes: Numbers, links: Numbers = NONE, realpaths: ReadonlySet<string> = this.realpaths): Pattern {
    return new Pattern(this.segments, this.texts, indexes, links, realpaths);
  }

  get last(): number {
    return this.segments.length - 1;
  }

  /** A negative index counts from the end. */
  segment(index: number): Segment | undefined {
    return this.segments.at(index);
  }

  isGlobstar(index: number): boolean {
    return this.segments.at(index) === GLOBSTAR;
  }

  /** Whether what has been come to may be a result; "**" and a slash at the end may stand for a directory itself. */
  isLast(isDirectory: boolean): boolean {
    const { last, indexes } = this;
    return (
      indexes.has(last) ||
      (isDirectory && this.segment(-1) === '' && indexes.has(last - 1) && this.isGlobstar(-2))
    );
  }

  /** A link is entered as a directory, unless only "**" has led to it. */
  get passesLinks(): boolean {
    return [...this.indexes].some((index) => !this.links.has(index));
  }

  fits(index: number, name: string): boolean {
    const segment = this.segments[index];
    if (segment === undefined) return false;
    if (segment === GLOBSTAR) return true;
    return typeof segment === 'string' ? segment === name : segment.test(name);
  }

  /** What of the pattern is left: where that is the same, so are the results. */
  rest(index: number): string {
    return this.texts.slice(index).join('/');
  }
}
