// What the conformance programs share: posix-compat's, and what is about signals.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { sleep, wait } from '@libcr/core';
import { kill, sigaction } from '@libcr/signals';
import { assert, settle } from '../../../posix-compat/test/programs/objects/cases.mjs';

export {
  assert,
  conform,
  fails,
  onThread0,
  settle,
  started,
  throwsCode,
} from '../../../posix-compat/test/programs/objects/cases.mjs';

/** Waits until it is so. A test that waits in vain is ended by its runner. */
export function until(condition) {
  while (!condition()) sleep(1);
}

/** Sets a handler that notes what comes, and returns what has come so far. */
export function noted(signal, options, then = () => {}) {
  const infos = [];
  sigaction(
    signal,
    (info) => {
      infos.push(info);
      return then(info);
    },
    options,
  );
  return infos;
}

/** Another process sends it, and has ended. */
export function fromOutside(...signals) {
  const script = signals.map((signal) => `kill -s ${signal.replace(/^SIG/, '')} ${process.pid}`).join('; ');
  const child = spawn('/bin/sh', ['-c', script], { stdio: 'inherit' });
  const status = wait(new Promise((resolve) => child.on('exit', resolve)));
  assert.equal(status, 0);
  return child.pid;
}

/** A field of /proc/self/status, or another thread's, as a set of signals' numbers. */
export function kernelSet(field, place = '/proc/self') {
  const text = new RegExp(`^${field}:\\s*(\\w+)`, 'm').exec(readFileSync(`${place}/status`, 'utf8'))[1];
  const set = [];
  for (let bits = BigInt(`0x${text}`), n = 1; bits > 0n; bits >>= 1n, n++) if (bits & 1n) set.push(n);
  return set;
}

/** A signal to this very process by the kernel, without this package's knowing. */
export function byKernel(signal) {
  process.kill(process.pid, signal);
}

export { kill, settle as letRun };
