// What every package has in common when tsup bundles it; a package adds its entry points.
import type { Options } from 'tsup';
import { commonjs } from './tools/bundle/commonjs.ts';

export const base: Options = {
  format: 'esm',
  target: 'node20',
  platform: 'node',
  dts: true,
  sourcemap: true,
  silent: true, // errors still show
  clean: true, // dist only: prebuilds/ belongs to tools/build-native.mjs
  external: [/^@libcr\//],
};

type Entries = Record<string, string>;

/**
 * A package that is imported and required: one implementation, in CommonJS, and ES modules that hand it on (tools/bundle/commonjs.ts says why). `entry` is what
 * package.json's exports name, `inner` what else is loaded by its file's name. host: where entries have fromHost() from.
 */
export function library(entry: Entries, inner: Entries = {}, host = '@libcr/core/internal'): Options[] {
  return [
    {
      ...base,
      entry: { ...entry, ...inner },
      dts: false,
      splitting: true,
      outExtension: () => ({ js: '.cjs' }),
      plugins: [commonjs({ entries: Object.keys(entry), host })],
    },
    { ...base, entry, format: 'cjs', dts: { only: true }, clean: false },
  ];
}
