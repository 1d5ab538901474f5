/**
 * rfork-preload.ts: what an rfork of a program under lwkt does before it loads its module: TypeScript, if that is what it is, and the shims that the
 * command line names, on the rfork's own system-call port. (launch.ts has told core of it)
 */
import { fileURLToPath } from 'node:url';
import { installShims, type ShimOptions } from '../shims.ts';
import { kindOf, register } from './typescript.ts';

/** By import() always: rforks load their module so. */
export default async function preload(module: string, shims: ShimOptions): Promise<void> {
  const isFile = module.startsWith('file:');
  if (isFile && kindOf(fileURLToPath(module)) !== 'javascript') await register('typescript module');
  await installShims(isFile ? fileURLToPath(module) : import.meta.filename, shims);
}
