/** trace.test.ts: what @libcr/syscalls expects of the trace shim, of the calls of a program. */
import { expectTrace } from '../../../syscalls/test/expectations/trace.ts';
import { byProgram } from './made-by-program.ts';

expectTrace(byProgram);
