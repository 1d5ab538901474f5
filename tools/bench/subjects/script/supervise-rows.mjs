// Runs a program with a ready-made shim before it that is done in the program: arguments: policy, path, fault, metrics or trace; then the program. Prints what that prints.
import { spawn } from '@libcr/posix-compat/spawn';
import { fault } from '@libcr/syscalls/shims/fault';
import { metrics } from '@libcr/syscalls/shims/metrics';
import { policy } from '@libcr/syscalls/shims/policy';
import { trace } from '@libcr/syscalls/shims/trace';

const [how, program, ...args] = process.argv.slice(2);
const on = ['getppid'];
const shims = {
  policy: () => policy([{ action: 'deny', on }]),
  fault: () => fault([{ on, every: 2, errno: 'EIO' }]),
  metrics: () => metrics({ on }),
  trace: () => trace({ on, output: '/dev/null' }),
};

spawn(program, args, { shims: [shims[how]()], stdio: 'inherit' }).on('exit', (status) => {
  process.exitCode = status ?? 1;
});
