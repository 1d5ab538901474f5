/**
 * rfork-preload.ts: what an rfork of a program under lwkt does before it loads its module, which may be TypeScript. (launch.ts has told core of it)
 */
import { fileURLToPath } from 'node:url';
import { kindOf, register } from './typescript.ts';

/** By import() always: rforks load their module so. */
export default async function preload(module: string): Promise<void> {
  if (module.startsWith('file:') && kindOf(fileURLToPath(module)) !== 'javascript')
    await register('typescript module');
}
