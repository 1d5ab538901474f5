/**
 * entry-hook.ts: makes 'lwkt:script' mean the script's URL, for entry.js. Used in this thread with
 * module.registerHooks, and as a hooks module of module.register's where Node has no registerHooks (20, and
 * 22 before 22.15).
 */
let script = '';

/** Called by module.register with its `data`. */
export function initialize(url: string): void {
  script = url;
}

/** A resolve hook, of both kinds of API. */
export function resolve<C, R>(
  specifier: string,
  context: C,
  nextResolve: (specifier: string, context: C) => R,
): R {
  return nextResolve(specifier === 'lwkt:script' ? script : specifier, context);
}
