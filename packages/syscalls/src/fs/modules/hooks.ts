/** hooks.ts: modules from a port's files where Node has hooks in the thread itself (module.registerHooks, from 22.15 on). */
import * as nodeModule from 'node:module';
import type { Loading } from './loading.ts';
import { patchRequire } from './require.ts';

interface ResolveContext {
  conditions: Iterable<string>;
  parentURL?: string;
  importAttributes?: Record<string, string>;
}
type Result = { url?: string; format?: string | null; source?: unknown; shortCircuit?: boolean };

interface Hooks {
  resolve(
    specifier: string,
    context: ResolveContext,
    next: (specifier: string, context: unknown) => Result,
  ): Result;
  load(url: string, context: unknown, next: (url: string, context: unknown) => Result): Result;
}

type RegisterHooks = (hooks: Hooks) => { deregister(): void };

/** undefined on older Nodes. */
export const registerHooks: RegisterHooks | undefined = (
  nodeModule as unknown as { registerHooks?: RegisterHooks }
).registerHooks;

/** The answer takes them off again. */
export function hookModules(register: RegisterHooks, loading: Loading): () => void {
  const hooks = register({
    resolve(specifier, context, next) {
      const conditions = [...context.conditions];
      const url = loading.resolve(specifier, context.parentURL, conditions, !conditions.includes('require'));
      return url === undefined
        ? loading.passing(() => next(specifier, context))
        : { url, shortCircuit: true };
    },
    load(url, context, next) {
      const loaded = loading.load(url);
      return loaded === undefined ? next(url, context) : { ...loaded, shortCircuit: true };
    },
  });
  const undo = patchRequire(loading, false);
  return () => {
    undo();
    hooks.deregister();
  };
}
