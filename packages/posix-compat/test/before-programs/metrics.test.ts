/** metrics.test.ts: what @libcr/syscalls expects of the metrics shim, of the calls of a program. */
import { expectMetrics } from '../../../syscalls/test/expectations/metrics.ts';
import { byProgram } from './made-by-program.ts';

expectMetrics(byProgram);
