/** about.ts: which of a call's arguments are what rows look at: its descriptor, how many bytes it moves, its paths. */
import { rowOf } from '../../port/calls.ts';
import { plainPaths } from '../../shims/paths/arguments.ts';

export interface About {
  /** The argument that is its descriptor; -1: it has none. */
  readonly fd: number;
  /** The argument that says how many bytes it moves; -1: none does. */
  readonly size: number;
  /** undefined: they are not plain arguments; [] where it has none. */
  readonly paths: readonly { readonly argument: number; readonly dirfd: number }[] | undefined;
}

export function aboutOf(number: number): About {
  const args = rowOf(number)?.args ?? [];
  const data = args.findIndex(({ format }) => format === 'dataIn' || format === 'dataOut');
  return {
    fd: args.findIndex(({ format }) => format === 'fd'),
    size: data < 0 || data + 1 >= args.length ? -1 : data + 1,
    paths: plainPaths(number),
  };
}
