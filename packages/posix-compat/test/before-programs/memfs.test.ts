/** memfs.test.ts: what @libcr/syscalls expects of the memfs shim, of the calls of a program. What trees and options may be is tested there, what programs do with files in memory in supervised.test.ts. */
import { expectMemfs } from '../../../syscalls/test/expectations/memfs.ts';
import { byProgram } from './made-by-program.ts';

expectMemfs(byProgram);
