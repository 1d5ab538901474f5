/**
 * typescript.ts: TypeScript, on every Node, by tsx. Registered only when the script or a shim is TypeScript:
 * a JavaScript program runs just as it does under node.
 *
 * Invariant: JavaScript is never compiled. tsx' require() hook would turn ES modules into CommonJS ones, and
 * so load a second @libcr/core beside the one that import finds.
 */
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import { basename, dirname, extname, join } from 'node:path';

/** How a file has to be loaded. */
export type Kind = 'javascript' | 'typescript module' | 'typescript commonjs';

type Handler = (module: NodeJS.Module, filename: string) => void;
const { _extensions: extensions } = Module as unknown as { _extensions: Record<string, Handler> };

/** Whether the nearest package.json says that .ts files here are ES modules. */
function inModulePackage(file: string): boolean {
  for (let dir = dirname(file); basename(dir) !== 'node_modules'; dir = dirname(dir)) {
    try {
      return JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')).type === 'module';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false;
    }
    if (dir === dirname(dir)) return false;
  }
  return false;
}

export function kindOf(file: string): Kind {
  const extension = extname(file);
  if (extension === '.mts') return 'typescript module';
  if (extension === '.cts') return 'typescript commonjs';
  if (extension !== '.ts' && extension !== '.tsx') return 'javascript';
  return inModulePackage(file) ? 'typescript module' : 'typescript commonjs';
}

const done = new Set<Kind>();

/** Makes files of this kind loadable: by import, or for CommonJS by require. */
export async function register(kind: Kind): Promise<void> {
  if (kind === 'javascript' || done.has(kind)) return;
  done.add(kind);
  if (kind === 'typescript module') {
    (await import('tsx/esm/api')).register();
    return;
  }
  const node = extensions['.js'];
  (await import('tsx/cjs/api')).register();
  const tsx = extensions['.js'];
  extensions['.js'] = (module, filename) =>
    (/\.([cm]?ts|tsx)$/.test(filename) ? tsx : node)(module, filename);
}
