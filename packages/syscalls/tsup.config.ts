import type { Options } from 'tsup';
import { base } from '../../tsup.base.ts';

const config: Options = {
  ...base,
  entry: {
    index: 'src/index.ts',
    'shims/fault': 'src/shims/fault/index.ts',
    'shims/latency': 'src/shims/latency.ts',
    'shims/metrics': 'src/shims/metrics/index.ts',
    'shims/memfs': 'src/shims/memfs/index.ts',
    'shims/trace': 'src/shims/trace.ts',
    'shims/policy': 'src/shims/policy/index.ts',
    'shims/record': 'src/shims/record/index.ts',
    'shims/replay': 'src/shims/replay/index.ts',
    net: 'src/net/index.ts',
    fs: 'src/fs/index.ts',
    config: 'src/config/index.ts',
    register: 'src/register.ts',
  },
};
export default config;
