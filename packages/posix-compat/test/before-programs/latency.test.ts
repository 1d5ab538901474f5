/** latency.test.ts: what @libcr/syscalls expects of the latency shim, of the calls of a program. */
import { expectLatency } from '../../../syscalls/test/expectations/latency.ts';
import { byProgram } from './made-by-program.ts';

expectLatency(byProgram);
