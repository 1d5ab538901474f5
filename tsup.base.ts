// What every package has in common when tsup bundles it; a package adds its entry points.
import type { Options } from 'tsup';

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
