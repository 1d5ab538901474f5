/**
 * flags.ts: which of Node's options the running one has, by the names that the tests use.
 */

/** The first of these options that this Node knows. */
export function known(...options: string[]): string | undefined {
  return options.find((option) => process.allowedNodeEnvironmentFlags.has(option));
}

const permission = known('--permission', '--experimental-permission');

/** The permission model, with no more allowed than a program with userthreads needs; undefined where this Node has none. */
export const permissionFlags: string[] | undefined =
  permission === undefined ? undefined : [permission, '--allow-addons', '--allow-fs-read=*'];

/** Makes AsyncLocalStorage of what it is not made of by default; undefined where this Node knows one way only. */
export const otherStores: string | undefined = known(
  Number(process.versions.node.split('.')[0]) < 24
    ? '--experimental-async-context-frame'
    : '--no-async-context-frame',
);
