/**
 * inspect.ts: util.inspect and console.log show a handle as its toString() does, in one line. (A method named [inspect.custom] in the class
 * body would not do: isolatedDeclarations can't infer a computed name.)
 */
import { inspect } from 'node:util';

export function inspectAsString(type: { prototype: object }): void {
  Object.defineProperty(type.prototype, inspect.custom, {
    value(this: object): string {
      return this.toString();
    },
  });
}
