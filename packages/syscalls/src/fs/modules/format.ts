/** format.ts: what kind of module a file is: by its ending, by its package's "type", or by what is in it, as Node decides it. */
import { Script } from 'node:vm';
import type { Files } from './files.ts';
import { scopeOf } from './find.ts';

const BY_ENDING: Record<string, string> = {
  '.mjs': 'module',
  '.cjs': 'commonjs',
  '.json': 'json',
  '.wasm': 'wasm',
  '.node': 'addon',
};
const TYPESCRIPT: Record<string, string> = { '.mts': 'module-typescript', '.cts': 'commonjs-typescript' };
/** What V8 says of module syntax where a script is expected. */
const MODULE_SYNTAX =
  /^(?:Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta' outside a module|await is only valid in async functions)/;

const endingOf = (path: string): string => /\.[^./]*$/.exec(path)?.[0] ?? '';
const stripsTypes = (): boolean => Boolean((process.features as { typescript?: unknown }).typescript);

function isModuleText(text: string): boolean {
  try {
    new Script(`(function (exports, require, module, __filename, __dirname) {${text}\n})`);
    return false;
  } catch (error) {
    return MODULE_SYNTAX.test((error as Error).message);
  }
}

/** As load hooks name formats. undefined: Node knows no such ending. */
export function formatOf(files: Files, path: string, text: () => string): string | undefined {
  const ending = endingOf(path);
  const known = BY_ENDING[ending] ?? (stripsTypes() ? TYPESCRIPT[ending] : undefined);
  if (known !== undefined) return known;
  const suffix = ending === '.ts' && stripsTypes() ? '-typescript' : '';
  if (ending !== '.js' && ending !== '' && suffix === '') return undefined;
  const type = scopeOf(files, path)?.[1].type;
  if (type === 'module' || type === 'commonjs') return `${type}${suffix}`;
  return `${isModuleText(text()) ? 'module' : 'commonjs'}${suffix}`;
}
