/** metrics.test.ts: the metrics shim: counts, outcomes, bytes, and a text that Prometheus reads (expectations/metrics.ts); and what options may be. */
import { expect, test } from 'vitest';
import { type MetricsOptions, metrics } from '../../src/shims/metrics/index.ts';
import { here } from '../expectations/caller.ts';
import { expectMetrics } from '../expectations/metrics.ts';
import { errorOf } from '../support.ts';

expectMetrics(here);

test.each<[unknown, string, RegExp]>([
  [null, 'ERR_INVALID_ARG_TYPE', /"options"/],
  [{ bucket: [1] }, 'ERR_INVALID_ARG_VALUE', /options has no "bucket"/],
  [{ buckets: 1 }, 'ERR_INVALID_ARG_TYPE', /"buckets"/],
  [{ buckets: [] }, 'ERR_OUT_OF_RANGE', /"buckets\.length"/],
  [{ buckets: [1, 1] }, 'ERR_OUT_OF_RANGE', /"buckets\[1\]"/],
  [{ buckets: [0] }, 'ERR_OUT_OF_RANGE', /"buckets\[0\]"/],
  [{ buckets: [1, Infinity] }, 'ERR_OUT_OF_RANGE', /"buckets\[1\]"/],
  [{ buckets: ['1'] }, 'ERR_INVALID_ARG_TYPE', /"buckets\[0\]"/],
  [{ on: ['opne'] }, 'ERR_INVALID_ARG_VALUE', /opne/],
])('no options: %j', (options, code, message) => {
  expect(errorOf(() => metrics(options as MetricsOptions))).toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});
