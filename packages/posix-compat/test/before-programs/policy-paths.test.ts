/** policy-paths.test.ts: what @libcr/syscalls expects of the policy shim about paths, of the calls of a program. */
import { expectPolicyOfPaths } from '../../../syscalls/test/expectations/policy-paths.ts';
import { byProgram } from './made-by-program.ts';

expectPolicyOfPaths(byProgram);
