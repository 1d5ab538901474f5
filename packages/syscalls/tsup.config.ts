import type { Options } from 'tsup';
import { library } from '../../tsup.base.ts';

// The bundler makes a file of what the same entries have in common, and each file costs whoever imports the package a millisecond. So all entries import
// src/index.ts (which package.json says has an effect, or that would be left out): what it needs is one file then, and not twenty.
const config: Options[] = library({
  index: 'src/index.ts',
  'shims/fault': 'src/shims/fault/index.ts',
  'shims/latency': 'src/shims/latency.ts',
  'shims/metrics': 'src/shims/metrics/index.ts',
  'shims/memfs': 'src/shims/memfs/index.ts',
  'shims/overlay': 'src/shims/overlay/index.ts',
  'shims/trace': 'src/shims/trace/index.ts',
  'shims/policy': 'src/shims/policy/index.ts',
  'shims/record': 'src/shims/record/index.ts',
  'shims/replay': 'src/shims/replay/index.ts',
  net: 'src/net/index.ts',
  fs: 'src/fs/index.ts',
  config: 'src/config/index.ts',
  supervisor: 'src/supervisor/index.ts',
  wire: 'src/wire/index.ts',
  recording: 'src/recording/index.ts',
  register: 'src/register.ts',
});
export default config;
