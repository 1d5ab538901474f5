import type { Options } from 'tsup';
import { base } from '../../tsup.base.ts';

const config: Options = {
  ...base,
  entry: {
    cli: 'src/cli.ts',
    entry: 'src/script/entry.js',
    'entry-hook': 'src/script/entry-hook.ts',
    'rfork-preload': 'src/script/rfork-preload.ts',
  },
  external: [/^@libcr\//, 'lwkt:script'],
  dts: false,
};
export default config;
