/** arguments.test.ts: what @libcr/syscalls expects that shims see of arguments, of the calls of a program. */
import { expectArguments } from '../../../syscalls/test/expectations/arguments.ts';
import { byProgram } from './made-by-program.ts';

expectArguments(byProgram);
