/**
 * shape.ts: how the functions look from outside: names and lengths as those of this Node's own have; and what node:fs has beside functions.
 *
 * Not here: what they do; putting them on node:fs (install.ts).
 */

type Names = Record<string, unknown>;

const isFunction = (value: unknown): value is (...args: unknown[]) => unknown => typeof value === 'function';

/** Classes keep what they have. */
const isClassName = (name: string): boolean => /^[A-Z]/.test(name);

/** What Node does not have gets its own name. */
export function shapeAs(functions: object, nodes: unknown): void {
  for (const [name, fn] of Object.entries(functions)) {
    if (!isFunction(fn) || isClassName(name)) continue;
    const model = (nodes as Names)[name];
    const shape = isFunction(model) ? model : { name, length: fn.length };
    Object.defineProperty(fn, 'name', { value: shape.name, configurable: true });
    Object.defineProperty(fn, 'length', { value: shape.length, configurable: true });
    const { native } = fn as { native?: unknown };
    if (native !== undefined) shapeAs({ native }, model ?? {});
  }
}

/** Older names of constants, and of the streams' classes, as far as this Node has them; those that warn when they are read still do. */
const OLD_NAMES = ['F_OK', 'R_OK', 'W_OK', 'X_OK', '_toUnixTimestamp'];

export function completeAs(target: object, nodes: object): void {
  for (const name of OLD_NAMES) {
    const descriptor = Object.getOwnPropertyDescriptor(nodes, name);
    if (descriptor !== undefined) Object.defineProperty(target, name, descriptor);
  }
  const { ReadStream, WriteStream } = target as Names;
  for (const [name, value] of Object.entries({ FileReadStream: ReadStream, FileWriteStream: WriteStream }))
    if (Object.hasOwn(nodes, name))
      Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true });
}
