/** policy.test.ts: what @libcr/syscalls expects of the policy shim, of the calls of a program. What rules may be is tested there. */
import { expectPolicy } from '../../../syscalls/test/expectations/policy.ts';
import { byProgram } from './made-by-program.ts';

expectPolicy(byProgram);
