// What the rforks of rforks.mjs run: the command of each message.
import { create, userthreads } from '@libcr/core';
import { sigaction, signals, sigprocmask, sigwait } from '@libcr/signals';

const infos = [];

const commands = {
  handle({ signal }) {
    sigaction(signal, (info) => infos.push(info));
  },
  got: () => infos,
  wait: ({ signal }) => sigwait(signal),
  waiting: () => userthreads().filter((td) => td.waitReason === 'sigwait()').length,
  subscribe({ signal }) {
    const iterator = signals(signal);
    (async () => {
      for await (const info of iterator) infos.push(info);
    })();
  },
  block: ({ signal }) => void sigprocmask('block', signal),
  unblock: ({ signal }) => void sigprocmask('unblock', signal),
};

export default (port) => {
  for (const msg of port) {
    const { cmd } = msg.data;
    const answer = () => {
      try {
        msg.replymsg(undefined, commands[cmd](msg.data));
      } catch (error) {
        msg.replymsg(error);
      }
    };
    if (cmd === 'wait') create(answer);
    else answer();
  }
};
