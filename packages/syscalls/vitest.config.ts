// Everything once on the way that libcr chooses by itself (the ring, where there is one), and what may have to wait once more without a ring.
// sanitized.test.ts, which runs some of them again, is a project of its own: so it can be left out.
import type { ViteUserConfig } from 'vitest/config';
import { base } from '../../vitest.base.ts';

const WAITING = [
  'waiting/blocking',
  'conformance/conformance',
  'exits',
  'files',
  'waiting/offload',
  'waiting/promises',
  'waiting/ring',
  'waiting/streams',
];

const SANITIZED = 'test/sanitized.test.ts';

const config: ViteUserConfig = {
  test: {
    projects: [
      { test: { ...base.test, name: 'chosen', exclude: [...(base.test?.exclude ?? []), SANITIZED] } },
      { test: { ...base.test, name: 'sanitized', include: [SANITIZED] } },
      {
        test: {
          ...base.test,
          name: 'readiness',
          include: WAITING.map((name) => `test/${name}.test.ts`),
          env: { LIBCR_SYSCALLS_PATH: 'readiness' },
        },
      },
    ],
  },
};
export default config;
