import type { Options } from 'tsup';
import { library } from '../../tsup.base.ts';

const config: Options[] = library(
  {
    index: 'src/index.ts',
    internal: 'src/internal.ts',
    top: 'src/top/main.ts',
    explore: 'src/explore/main.ts',
    'top-client': 'src/top/client.ts',
  },
  { 'rfork-main': 'src/rfork/main.ts', host: 'src/node/host.ts', 'users-clock': 'src/node/users-clock.ts' },
  './host.cjs',
);
export default config;
