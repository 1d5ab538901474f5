/**
 * launch.ts: from a command line to a running script: finds it, makes process.argv what node would, installs
 * the shims and starts the first userthread. How the script is loaded is in script.ts.
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { Failure } from './errors.ts';
import { importCore } from './packages.ts';
import { runScript } from './script.ts';
import { installShims, type ShimOptions } from './shims.ts';
import { kindOf, register } from './typescript.ts';

/**
 * As much stack as V8 takes for JavaScript on the main thread (984 KiB): a script may recurse as deep as
 * under node.
 */
const STACK_SIZE = 1024 * 1024;

function find(path: string): string {
  try {
    return createRequire(import.meta.url).resolve(path);
  } catch {
    throw new Failure(`cannot find the script ${path}`);
  }
}

/** Starts script with args. What it throws is reported as node reports an uncaught error. */
export async function launch(script: string, args: string[], shims: ShimOptions): Promise<void> {
  const path = resolve(script);
  const file = find(path);
  const core = await importCore(file);
  process.argv.splice(1, process.argv.length - 1, path, ...args);
  const kind = kindOf(file);
  await register(kind);
  await installShims(file, shims);
  // Nobody joins it: what it throws is reported with Node's rule for unhandled rejections, which is also what
  // node uses for a module.
  core.create(() => runScript(core, file, kind), { name: 'main', stackSize: STACK_SIZE });
}
