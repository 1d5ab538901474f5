// Who may take from a port, what closing it does, and every way of misusing ports and messages. See
// ports.test.ts.
import { create, curthread, Msg, MsgPort, run, sleep } from '@libcr/core';
import { main, rejectionOf, thrownBy } from '../check.mjs';
import { untilBlocked } from './port-tools.mjs';

main({
  async close() {
    const port = new MsgPort('closing');
    const sleeper = create(() => thrownBy(() => port.waitport()));
    const iterator = new MsgPort('iterated', { shared: true });
    const iterating = create(() => [...iterator].length);
    const got = await run(() => {
      untilBlocked(sleeper);
      untilBlocked(iterating);
      const queuedPort = new MsgPort('queued', { shared: true });
      const sent = new Msg(1);
      queuedPort.sendmsg(sent);
      const waiter = create(() => thrownBy(() => queuedPort.domsg(new Msg(2))));
      untilBlocked(waiter);
      queuedPort.close();
      queuedPort.close();
      port.close();
      iterator[Symbol.dispose]();
      const held = new Msg(3);
      const other = new MsgPort('other');
      other.sendmsg(held);
      other.getport();
      return {
        sent: thrownBy(() => sent.waitmsg()).code,
        waiter: waiter.join().code,
        sendmsg: thrownBy(() => port.sendmsg(new Msg(1))).code,
        domsg: thrownBy(() => port.domsg(new Msg(1))).code,
        forwardmsg: thrownBy(() => port.forwardmsg(held)).code,
        stillHeld: held.state,
        waitport: thrownBy(() => queuedPort.waitport()).code,
        getport: queuedPort.getport() ?? 'nothing',
        iteration: [...queuedPort].length,
        text: String(queuedPort),
      };
    });
    return { ...got, sleeper: (await sleeper.finished).code, iterating: await iterating.finished };
  },

  async shared() {
    const port = new MsgPort('pool', { shared: true });
    const seen = [];
    const servers = Array.from({ length: 4 }, (_, i) =>
      create(() => {
        let n = 0;
        for (const msg of port) {
          seen.push(msg.data);
          n++;
          sleep(1); // the next message is another server's
          msg.replymsg(undefined, i);
        }
        return n;
      }),
    );
    const clients = Array.from({ length: 20 }, (_, i) => create(() => port.domsg(new Msg(i))));
    await Promise.all(clients.map((td) => td.finished));
    const owner = port.owner ?? 'nobody';
    port.close();
    const counts = await Promise.all(servers.map((td) => td.finished));
    return {
      each: seen.length === 20 && new Set(seen).size === 20,
      all: counts.every((n) => n > 0),
      sum: counts.reduce((a, b) => a + b),
      owner,
    };
  },

  async ownership() {
    const port = new MsgPort('handed on');
    const first = create(() => port.getport() ?? 'empty');
    await first.finished;
    const was = port.owner === first;
    const second = create(() => port.waitport().data);
    await run(() => {
      untilBlocked(second);
      port.sendmsg(new Msg('for the second'));
    });
    return { was, data: await second.finished, is: port.owner === second };
  },

  async misuse() {
    const others = new MsgPort('others');
    const owner = create(() => others.waitport().data);
    const got = await run(() => {
      untilBlocked(owner);
      const mine = curthread().port;
      const port = new MsgPort('p');
      const queued = new Msg('q');
      port.sendmsg(queued);
      const codes = {
        sentTwice: thrownBy(() => port.sendmsg(queued)),
        sentTwiceDomsg: thrownBy(() => others.domsg(queued)),
        replyQueued: thrownBy(() => queued.replymsg()),
        replyNeverSent: thrownBy(() => new Msg(1).replymsg()),
        forwardQueued: thrownBy(() => port.forwardmsg(queued)),
        forwardNeverSent: thrownBy(() => port.forwardmsg(new Msg(1))),
      };
      const taken = port.getport();
      codes.sentHeld = thrownBy(() => port.sendmsg(taken));
      taken.replymsg();
      codes.replyTwice = thrownBy(() => taken.replymsg());
      codes.sentReplied = thrownBy(() => port.sendmsg(taken)); // its reply waits on our port
      taken.waitmsg();
      codes.getOthers = thrownBy(() => others.getport());
      codes.waitOthers = thrownBy(() => others.waitport());
      codes.iterateOthers = thrownBy(() => [...others]);
      codes.selfDomsg = thrownBy(() => mine.domsg(new Msg(1)));
      codes.neverSent = thrownBy(() => new Msg(1).waitmsg());
      const pending = new Msg(1);
      port.sendmsg(pending);
      codes.othersWait = create(() => thrownBy(() => pending.waitmsg())).join();
      codes.noMsg = thrownBy(() => port.sendmsg({}));
      codes.noMsgDomsg = thrownBy(() => port.domsg('hello'));
      codes.noMsgForward = thrownBy(() => port.forwardmsg());
      codes.name = thrownBy(() => new MsgPort(1));
      codes.owner = thrownBy(() => new MsgPort('p', { owner: {} }));
      codes.putport = thrownBy(() => new MsgPort('p', { putport: 1 }));
      // nothing of this has changed anything
      codes.left = `${port.length} ${others.length} ${mine.length} ${pending.state}`;
      others.sendmsg(new Msg('works'));
      return codes;
    });
    return {
      ...got,
      works: await owner.finished,
      finishedNeverSent: await rejectionOf(new Msg(1).finished),
      domsgOnThread0: thrownBy(() => new MsgPort('p').domsg(new Msg(1))),
    };
  },
});
