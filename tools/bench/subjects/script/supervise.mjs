// Runs a program with a shim before it, which is another process': arguments: none, unwanted, answer or next; then the program. Prints what that prints.
import { spawn } from '@libcr/posix-compat/spawn';
import { defineShim } from '@libcr/syscalls';

const [how, program, ...args] = process.argv.slice(2);
const shims = {
  none: undefined,
  unwanted: [defineShim({ name: 'unwanted', on: ['fsync'], shim: (next) => (msg) => next(msg) })],
  answer: [defineShim({ name: 'answer', on: ['getppid'], shim: () => () => 1 })],
  next: [defineShim({ name: 'next', on: ['getppid'], shim: (next) => (msg) => next(msg) })],
}[how];

spawn(program, args, { shims, stdio: 'inherit' }).on('exit', (status) => {
  process.exitCode = status ?? 1;
});
