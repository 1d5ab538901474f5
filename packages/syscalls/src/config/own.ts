/** own.ts: shims of a file of the program's own. */
import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { checkShim, type Shim } from '../port/shim.ts';
import { configError, textOf } from './error.ts';

/** Whether a name is that of a file. */
export const isFile = (name: string): boolean => isAbsolute(name) || /^\.{1,2}\//.test(name);

/** A module's exports. Throws what its code throws. */
export function load(file: string): Record<string, unknown> {
  return createRequire(file)(file);
}

/** What a value is of: its default export where it is a module that has one, else its export `name`, else itself. */
export function exportOf(exported: Record<string, unknown>, name: string): unknown {
  return exported.default ?? exported[name] ?? exported;
}

/** The shims that a file exports, as default or as `shim`: one, or an array. Throws ERR_LIBCR_CONFIG. */
export function ownShims(name: string, place: string, folder: string): Shim[] {
  const file = resolve(folder, name);
  let exported: unknown;
  try {
    exported = exportOf(load(file), 'shim');
  } catch (error) {
    throw configError(place, `cannot load ${file}: ${textOf(error)}`, error);
  }
  const shims: unknown[] = Array.isArray(exported) ? exported : [exported];
  for (const shim of shims) {
    try {
      checkShim(shim);
    } catch (error) {
      throw configError(place, `${file} exports no shim: ${textOf(error)}`, error);
    }
  }
  return shims as Shim[];
}
