/** fault.test.ts: what @libcr/syscalls expects of the fault shim, of the calls of a program. What rules may be is tested there. */
import { expectFault } from '../../../syscalls/test/expectations/fault.ts';
import { byProgram } from './made-by-program.ts';

expectFault(byProgram);
