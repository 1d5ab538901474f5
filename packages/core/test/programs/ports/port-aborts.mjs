// Messages that are no longer wanted. See ports.test.ts.
import { create, curthread, Msg, MsgPort, run, sleep } from '@libcr/core';
import { main, shown, thrownBy } from '../check.mjs';
import { untilBlocked } from './port-tools.mjs';

main({
  async abortQueued() {
    return run(() => {
      const port = new MsgPort('unserved');
      const mine = curthread().port;
      const msg = new Msg(1);
      port.sendmsg(msg);
      port.sendmsg(new Msg(2));
      msg.abortmsg('not wanted');
      const back = mine.getport();
      return {
        back: back === msg,
        state: msg.state,
        error: { ...shown(msg.error), cause: msg.error.cause },
        left: port.length,
        next: port.getport().data, // the hole is skipped
        end: port.getport() ?? 'nothing',
      };
    });
  },

  async abortHeld() {
    const port = new MsgPort('slow');
    const server = create(() => {
      const msg = port.waitport();
      const early = msg.signal.aborted;
      try {
        sleep(1e8, { signal: msg.signal });
      } catch (error) {
        msg.replymsg(undefined, `stopped: ${error.cause}`);
      }
      return { early, late: msg.signal.aborted, reason: msg.signal.reason };
    });
    const result = await run(() => {
      const msg = new Msg(1);
      port.sendmsg(msg);
      untilBlocked(server, 'sleep 100000000 ms');
      msg.abortmsg('enough');
      return msg.waitmsg(); // exactly one reply all the same
    });
    return { result, server: await server.finished };
  },

  async abortIgnored() {
    // to a message that is not under way, abortmsg() does nothing
    const port = new MsgPort('direct', { putport: () => 'ok' });
    return run(() => {
      const msg = new Msg(1);
      msg.abortmsg();
      const before = msg.state;
      const result = port.domsg(msg);
      msg.abortmsg();
      return { before, result, after: msg.state, error: msg.error ?? 'none', usable: port.domsg(msg) };
    });
  },

  async domsgGivesUp() {
    // the wait ends, the message is aborted, and the late reply is nobody's
    const port = new MsgPort('slow');
    const server = create(() => {
      const msg = port.waitport();
      while (!msg.signal.aborted) sleep(1);
      sleep(1);
      msg.replymsg(undefined, 'too late');
      return msg.state;
    });
    const client = create(() => {
      const msg = new Msg(1);
      const held = thrownBy(() => port.domsg(msg, { timeout: 20 }));
      const queued = new Msg(2);
      const second = thrownBy(() => new MsgPort('nobody', { shared: true }).domsg(queued, { timeout: 1 }));
      return {
        held: held.code,
        ended: server.join(),
        state: msg.state,
        result: msg.result ?? null,
        second: second.code,
        queuedState: queued.state,
        port: curthread().port.length,
      };
    });
    const seen = await client.finished;
    return { ...seen, server: await server.finished };
  },

  async sharedAbort() {
    // the server that a message woke is aborted before it runs: another one serves, or itself before it ends
    const port = new MsgPort('pool', { shared: true });
    const servers = [1, 2].map((i) =>
      create(() => {
        for (const msg of port) msg.replymsg(undefined, `served by ${i}`);
      }),
    );
    const outcome = await run(() => {
      for (const td of servers) untilBlocked(td);
      const msg = new Msg(1);
      port.sendmsg(msg);
      servers[0].abort();
      const result = msg.waitmsg();
      servers[1].abort();
      return result;
    });
    port.close();
    return outcome;
  },
});
