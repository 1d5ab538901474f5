/** shim-arguments.test.ts: what shims see of arguments (expectations/arguments.ts), of calls of userthreads. */
import { expectArguments } from '../expectations/arguments.ts';
import { here } from '../expectations/caller.ts';

expectArguments(here);
