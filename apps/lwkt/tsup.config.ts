import type { Options } from 'tsup';
import { base } from '../../tsup.base.ts';

const config: Options = {
  ...base,
  entry: ['src/cli.ts', 'src/entry.js', 'src/entry-hook.ts', 'src/rfork-preload.ts'],
  external: [/^@libcr\//, 'lwkt:script'],
  dts: false,
};
export default config;
