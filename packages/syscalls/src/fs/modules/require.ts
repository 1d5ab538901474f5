/**
 * require.ts: require and require.resolve by the functions of Module that they are made of: all there is on Nodes without hooks in the thread itself, and what
 * the first ones with hooks do not ask them for.
 */
import { Module } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CodedError } from '@libcr/core/internal';
import type { Loading } from './loading.ts';

type Extension = (module: { filename: string }, filename: string) => void;
type ResolveFilename = (
  request: string,
  parent: { filename?: string | null } | undefined,
  isMain: boolean,
  options?: { paths?: unknown },
) => string;

interface Internals {
  _resolveFilename: ResolveFilename;
  _extensions: Record<string, Extension>;
}

/** refusesModules: Node itself would not know that a file of memory is an ES module. The answer puts all back that is still ours. */
export function patchRequire(loading: Loading, refusesModules: boolean): () => void {
  const internals = Module as unknown as Internals;
  const { _resolveFilename: resolveFilename } = internals;
  const before = { ...internals._extensions };
  const resolve: ResolveFilename = function (this: unknown, request, parent, isMain, options) {
    const from = parent?.filename ? pathToFileURL(parent.filename).href : undefined;
    const url = options?.paths === undefined ? loading.resolve(request, from, [], false) : undefined;
    return url === undefined
      ? resolveFilename.call(this, request, parent, isMain, options)
      : fileURLToPath(url);
  };
  internals._resolveFilename = resolve;
  const own: Record<string, Extension> = {};
  for (const ending of refusesModules ? ['.js', '.node'] : ['.node']) {
    own[ending] = function (this: unknown, module, filename) {
      const loaded = loading.owns(filename) ? loading.load(pathToFileURL(filename).href) : undefined; // an addon is refused
      if (loaded?.format === 'module')
        throw new CodedError('ERR_REQUIRE_ESM', `require() of ES Module ${filename}: use import() instead`);
      before[ending]?.call(this, module, filename);
    };
    internals._extensions[ending] = own[ending] as Extension;
  }
  return () => {
    if (internals._resolveFilename === resolve) internals._resolveFilename = resolveFilename;
    for (const [ending, extension] of Object.entries(own))
      if (internals._extensions[ending] === extension)
        internals._extensions[ending] = before[ending] as Extension;
  };
}
