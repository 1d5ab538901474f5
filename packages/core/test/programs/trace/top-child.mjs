// The rforks of top.mjs; data.role says what each does. flag[0]: 1 once it is busy, with the token if it has one; it is until somebody writes 2.
import { sleep } from '@libcr/core';

const roles = {
  serves(port) {
    for (const msg of port) msg.replymsg();
  },

  spins(port, flag, token) {
    token?.get();
    Atomics.store(flag, 0, 1);
    while (Atomics.load(flag, 0) === 1);
    for (const msg of port) {
      sleep(1);
      msg.replymsg();
    }
  },
};

export default (port, { role, flag, token }) => roles[role](port, flag, token);
