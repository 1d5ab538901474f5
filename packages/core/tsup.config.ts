import type { Options } from 'tsup';
import { base } from '../../tsup.base.ts';

const config: Options = {
  ...base,
  entry: {
    index: 'src/index.ts',
    internal: 'src/internal.ts',
    'rfork-main': 'src/rfork/main.ts',
    top: 'src/top/main.ts',
    'top-client': 'src/top/client.ts',
  },
};
export default config;
