/**
 * script.ts: runs a script's top level on the running userthread.
 *
 * CommonJS, and an ES module without top-level await in its graph: by require(), which runs it at once and
 * right here. With top-level await only import() can, and Node runs the module on the event loop's stack.
 *
 * require() cannot see TypeScript modules on every Node, as loader hooks may run in another thread. So their
 * graph is linked by import() first: of a module that imports one that throws, and then entry.js, which
 * imports the script. Node links all of them and stops at the throw, before anything of the script has run;
 * require(entry.js) then runs what is linked.
 *
 * Invariant: nothing of the script runs twice. Another way is tried only where require() has said no before
 * running anything.
 */
import Module, { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { types } from 'node:util';
import { initialize, resolve } from './entry-hook.ts';
import type { Core } from './packages.ts';
import { type Kind, register } from './typescript.ts';

interface Hooks {
  registerHooks?(hooks: { resolve: unknown }): void;
  register(specifier: string, parent: string, options: { data: string }): void;
  _load(path: string, parent: null, isMain: boolean): unknown;
}
const module = Module as unknown as Hooks;
const require = createRequire(import.meta.url);

const entryUrl = new URL('entry.js', import.meta.url).href;
const LINKED = Symbol.for('lwkt.linked');

async function link(script: string): Promise<void> {
  const url = pathToFileURL(script).href;
  initialize(url);
  if (module.registerHooks) module.registerHooks({ resolve });
  else module.register('./entry-hook.js', import.meta.url, { data: url });
  const thrower = `data:text/javascript,throw Symbol.for("lwkt.linked")`;
  try {
    await import(`data:text/javascript,import ${JSON.stringify(thrower)};import ${JSON.stringify(entryUrl)}`);
  } catch (reason) {
    if (reason !== LINKED) throw reason;
  }
}

/**
 * Loads path with require.main as node has it, for the idiom `require.main === module`. `begun` is called
 * when CommonJS code is about to run: Node reads process.mainModule then.
 */
function load(path: string, script: string, begun: () => void): void {
  const main = (): NodeJS.Module | undefined => require.cache[script];
  const property = { configurable: true, enumerable: true };
  const get = (): NodeJS.Module | undefined => {
    begun();
    return main();
  };
  Object.defineProperty(process, 'mainModule', { ...property, get });
  try {
    module._load(path, null, false);
  } finally {
    const loaded = main();
    const value = loaded && !types.isModuleNamespaceObject(loaded.exports) ? loaded : undefined;
    Object.defineProperty(process, 'mainModule', { ...property, value, writable: true });
  }
}

/**
 * Tries require(path). Says why it refused, if it did so before it ran anything. Throws what the script
 * throws.
 */
function tryRequire(path: string, script: string): 'top-level await' | 'linked already' | undefined {
  let ran = false;
  try {
    load(path, script, () => {
      ran = true;
    });
  } catch (error) {
    const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
    if (!ran && code === 'ERR_REQUIRE_ASYNC_MODULE') return 'top-level await';
    if (!ran && code === 'ERR_REQUIRE_CYCLE_MODULE' && message.includes(path)) return 'linked already';
    throw error;
  }
  return undefined;
}

/** Runs the script, to the end of its top level. Throws what it throws. Call it on a userthread. */
export function runScript(core: Core, script: string, kind: Kind): void {
  if (kind === 'typescript commonjs') {
    load(script, script, () => {});
    return;
  }
  let refusal: ReturnType<typeof tryRequire>;
  if (kind === 'javascript') refusal = tryRequire(script, script);
  else {
    core.wait(link(script));
    refusal = tryRequire(fileURLToPath(entryUrl), script);
    if (refusal === 'linked already') {
      // Node 20.19 and 22.12 to 22.14 may not take over what import() has linked. There the modules are
      // compiled to CommonJS.
      core.wait(register('typescript commonjs'));
      refusal = tryRequire(script, script);
    }
  }
  if (refusal !== undefined) core.wait(import(pathToFileURL(script).href));
}
