// signals(), abortOn(), onsignal(). See conformance.test.ts.
import { create, MsgPort, sleep, wait } from '@libcr/core';
import {
  abortOn,
  kill,
  onsignal,
  SignalError,
  sigaction,
  signals,
  sigprocmask,
  sigqueue,
  sigwait,
} from '@libcr/signals';
import {
  assert,
  byKernel,
  conform,
  fails,
  fromOutside,
  kernelSet,
  noted,
  onThread0,
  settle,
  started,
  throwsCode,
  until,
} from './cases.mjs';

await conform({
  'signals(): each comes once, in its order, however long the loop takes': () => {
    const values = [];
    const loop = onThread0(async () => {
      for await (const { value } of signals(['SIGRTMIN', 'SIGUSR1'])) {
        values.push(value);
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (value === 9) return;
      }
    });
    settle();
    for (let i = 0; i < 10; i++) sigqueue(process.pid, 'SIGRTMIN', i);
    wait(loop);
    assert.deepEqual(values, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.ok(!kernelSet('SigBlk').includes(34), 'who leaves the loop lets go of the signal');
  },

  'signals(): close() ends what waits': () => {
    const iterator = signals('SIGUSR1');
    const next = iterator.next();
    iterator.close();
    iterator[Symbol.dispose]();
    assert.equal(wait(next).done, true);
    assert.equal(wait(iterator.next()).done, true);
  },

  'they come instead of the action, and to all that want them': () => {
    const infos = noted('SIGUSR1');
    const [a, b] = [signals('SIGUSR1'), abortOn(['SIGUSR1', 'SIGUSR2'])];
    const pid = fromOutside('SIGUSR1');
    assert.equal(wait(a.next()).value.pid, pid);
    assert.equal(b.aborted, true);
    a.close();
    kill(process.pid, 'SIGUSR1');
    until(() => infos.length === 1);
  },

  'sigwait is before them': () => {
    const iterator = signals('SIGUSR1', { ref: true });
    const td = started(() => sigwait('SIGUSR1').value);
    sigqueue(process.pid, 'SIGUSR1', 1);
    assert.equal(td.join(), 1);
    sigqueue(process.pid, 'SIGUSR1', 2);
    assert.equal(wait(iterator.next()).value.value, 2);
    iterator.close();
  },

  'masks have nothing to do with them': () => {
    sigprocmask('block', 'SIGUSR1');
    const iterator = signals('SIGUSR1', { ref: true });
    byKernel('SIGUSR1');
    assert.equal(wait(iterator.next()).value.signal, 'SIGUSR1');
    iterator.close();
  },

  'abortOn(): aborted once, with the signal as the reason; it ends waits': () => {
    const signal = abortOn('SIGUSR1');
    const td = started(() => sleep(60_000, { signal }));
    byKernel('SIGUSR1');
    assert.throws(
      () => td.join(),
      (error) => {
        assert.ok(error.cause instanceof SignalError);
        assert.deepEqual([error.cause.code, error.cause.info.signal], ['ERR_LIBCR_SIGNAL', 'SIGUSR1']);
        return true;
      },
    );
    const infos = noted('SIGUSR1');
    byKernel('SIGUSR1');
    until(() => infos.length === 1);
  },

  'abortOn(): close() lets the signals be': () => {
    const infos = noted('SIGUSR1');
    const signal = abortOn('SIGUSR1');
    signal.close();
    signal[Symbol.dispose]();
    kill(process.pid, 'SIGUSR1');
    assert.deepEqual([signal.aborted, infos.length], [false, 1]);
  },

  'onsignal(): each is a message to the port, until the port is closed': () => {
    const port = new MsgPort('signals', { shared: true });
    const subscription = port.onsignal(['SIGUSR1', 'SIGRTMIN'], { ref: true });
    const td = create(() => {
      const seen = [];
      for (const msg of port) {
        seen.push(`${msg.data.signal} ${msg.data.value}`);
        if (seen.length === 1) msg.replymsg();
        if (seen.length === 3) return seen;
      }
    });
    for (let i = 0; i < 2; i++) sigqueue(process.pid, 'SIGRTMIN', i);
    byKernel('SIGUSR1');
    assert.deepEqual(td.join().sort(), ['SIGRTMIN 0', 'SIGRTMIN 1', 'SIGUSR1 0']);
    subscription.close();
    const infos = noted('SIGUSR1');
    onsignal(port, 'SIGUSR1');
    port.close();
    byKernel('SIGUSR1');
    byKernel('SIGUSR1');
    until(() => {
      byKernel('SIGUSR1');
      return infos.length > 0;
    });
  },

  'misuse is an error with a code': () => {
    for (const take of [signals, abortOn, (set) => onsignal(new MsgPort(), set)]) {
      throwsCode('EINVAL', () => take('SIGKILL'));
      throwsCode('ERR_LIBCR_SIGNAL_RESERVED', () => take(['SIGPROF']));
      throwsCode('ERR_UNKNOWN_SIGNAL', () => take('SIGFOO'));
      throwsCode('ERR_INVALID_ARG_TYPE', () => take(null));
    }
    fails('EINVAL', 'abortOn', () => abortOn(33));
    throwsCode('ERR_INVALID_ARG_TYPE', () => onsignal({}, 'SIGUSR1'));
    throwsCode('ERR_INVALID_ARG_TYPE', () => signals('SIGUSR1', { ref: 1 }));
    throwsCode('ERR_INVALID_ARG_TYPE', () => signals('SIGUSR1', null));
    assert.equal(sigaction('SIGUSR1').handler, 'default');
  },
});
