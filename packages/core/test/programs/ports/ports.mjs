// Ports and messages: sending, waiting, answering. See ports.test.ts.
import { create, curthread, EASYNC, Msg, MsgPort, run, sleep, wait, yieldNow } from '@libcr/core';
import { main, scale, thrownBy } from '../check.mjs';
import { serve } from './port-tools.mjs';

main({
  async domsg() {
    const port = new MsgPort('adder');
    const failure = new RangeError('negative');
    const td = serve(port, ({ a, b }) => {
      if (a < 0) throw failure;
      return a + b;
    });
    const got = await run(() => {
      const msg = new Msg({ a: 1, b: 2 });
      const sum = port.domsg(msg);
      const bad = new Msg({ a: -1, b: 0 });
      let same = false;
      try {
        port.domsg(bad);
      } catch (error) {
        same = error === failure && bad.error === failure;
      }
      return {
        sum,
        result: msg.result,
        state: msg.state,
        same,
        owner: port.owner === td,
        badResult: bad.result,
      };
    });
    port.close();
    return { ...got, served: await td.finished };
  },

  async falsyErrors() {
    // only undefined means success
    const port = new MsgPort('falsy', { shared: true });
    const td = create(() => {
      for (const msg of port) msg.replymsg(msg.data, 'result');
    });
    const got = await run(() =>
      [null, 0, '', false, undefined].map((data) => {
        try {
          return port.domsg(new Msg(data));
        } catch (error) {
          return { thrown: error };
        }
      }),
    );
    port.close();
    await td.finished;
    return got;
  },

  async sendmsg() {
    const port = new MsgPort('echo');
    const td = serve(port, (data) => data * 2);
    const got = await run(() => {
      const msgs = [1, 2, 3].map((data) => new Msg(data));
      for (const msg of msgs) port.sendmsg(msg);
      const sent = msgs.map((msg) => msg.state);
      const mine = curthread().port;
      const replies = [mine.waitport(), mine.waitport(), mine.waitport()];
      return {
        sent,
        order: replies.map((reply) => msgs.indexOf(reply)),
        results: replies.map((reply) => reply.result),
        states: replies.map((reply) => reply.state),
        replyPort: msgs[0].replyPort === mine,
        owner: mine.owner === curthread(),
        name: mine.name,
        left: mine.length,
      };
    });
    port.close();
    await td.finished;
    return got;
  },

  async replyPort() {
    const port = new MsgPort('echo');
    const replies = new MsgPort('replies');
    const td = serve(port, (data) => data + 1);
    const collector = create(() => replies.waitport().result);
    await run(() => {
      port.sendmsg(new Msg(41, { replyPort: replies }));
    });
    const value = await collector.finished;
    port.close();
    await td.finished;
    return value;
  },

  async sameQueue() {
    // requests and replies share a thread's own port; the state tells them apart
    const port = new MsgPort('echo');
    const td = serve(port, (data) => data);
    const got = await run(() => {
      const me = curthread();
      port.sendmsg(new Msg('reply'));
      create(() => me.port.sendmsg(new Msg('request')));
      const seen = [];
      for (let i = 0; i < 2; i++) {
        const msg = me.port.waitport();
        seen.push(`${msg.data} ${msg.state}`);
        if (msg.state === 'held') msg.replymsg();
      }
      return seen.sort();
    });
    port.close();
    await td.finished;
    return got;
  },

  async getport() {
    return run(() => {
      const port = new MsgPort('p');
      const before = port.getport() ?? 'nothing';
      const msg = new Msg('m');
      port.sendmsg(msg);
      const length = port.length;
      const taken = port.getport();
      return { before, length, same: taken === msg, state: msg.state, after: port.getport() ?? 'nothing' };
    });
  },

  async waitmsg() {
    const port = new MsgPort('echo');
    const td = serve(port, (data) => data);
    const got = await run(() => {
      const mine = curthread().port;
      const [a, b, c] = ['a', 'b', 'c'].map((data) => new Msg(data));
      for (const msg of [a, b, c]) port.sendmsg(msg);
      const result = c.waitmsg();
      const queued = mine.length; // a and b came before, and are still there
      const b1 = b.waitmsg();
      const first = mine.waitport().data;
      return { result, queued, b1, first, left: mine.length, again: c.waitmsg(), state: c.state };
    });
    port.close();
    await td.finished;
    return got;
  },

  async waitmsgError() {
    const port = new MsgPort('fails', {
      putport() {
        throw new Error('on the spot');
      },
    });
    return run(() => {
      const msg = new Msg(1);
      port.sendmsg(msg);
      return { state: msg.state, error: thrownBy(() => msg.waitmsg()) };
    });
  },

  async putport() {
    const contexts = [];
    let kept;
    const port = new MsgPort('direct', {
      putport(msg) {
        contexts.push(curthread().name);
        if (msg.data === 'throw') throw new TypeError('no');
        if (msg.data === 'later') {
          kept = msg;
          return EASYNC;
        }
        if (msg.data === 'self') {
          msg.replymsg(undefined, 'replied itself');
          return 'ignored';
        }
        return msg.data;
      },
    });
    const got = await run(() => {
      const results = [port.domsg(new Msg('value')), thrownBy(() => port.domsg(new Msg('throw')))];
      results.push(port.domsg(new Msg('self')), port.domsg(new Msg(undefined)) ?? 'undefined');
      create(() => {
        sleep(1);
        kept.replymsg(undefined, 'came later');
      });
      results.push(port.domsg(new Msg('later')));
      const sent = new Msg('sent');
      port.sendmsg(sent); // answered on the spot, and it comes by the reply port all the same
      results.push(sent.state, curthread().port.waitport() === sent, sent.result);
      return results;
    });
    const onThread0 = port.domsg(new Msg('from thread0'));
    const later = thrownBy(() => port.domsg(new Msg('later'))).code;
    return { got, onThread0, later, contexts: [...new Set(contexts)] };
  },

  async forwardmsg() {
    const last = new MsgPort('last');
    const first = new MsgPort('first');
    const direct = new MsgPort('direct', { putport: (msg) => `direct ${msg.data}` });
    const log = [];
    const a = create(() => {
      for (const msg of first) {
        log.push(`forwards ${msg.data}`);
        (msg.data === 'd' ? direct : last).forwardmsg(msg);
      }
    });
    const b = serve(last, (data) => `answer to ${data}`);
    const got = await run(() => {
      const done = first.domsg(new Msg('x'));
      const msg = new Msg('y');
      first.sendmsg(msg);
      const back = curthread().port.waitport() === msg;
      return { done, back, result: msg.result, direct: first.domsg(new Msg('d')) };
    });
    first.close();
    last.close();
    await Promise.all([a.finished, b.finished]);
    return { ...got, log };
  },

  async finished() {
    // code on the event loop: sendmsg and await
    const port = new MsgPort('echo');
    const failure = new Error('refused');
    const td = serve(port, (data) => {
      if (data < 0) throw failure;
      return data;
    });
    const good = new Msg(7);
    const bad = new Msg(-7);
    port.sendmsg(good);
    port.sendmsg(bad);
    const value = await good.finished;
    const twice = await good.finished;
    const rejected = await bad.finished.catch((error) => error === failure);
    const replied = good.state;
    const waited = good.waitmsg(); // the reply is there: no need to block
    port.close();
    await td.finished;
    return { value, twice, rejected, replied, waited, state: good.state, left: curthread().port.length };
  },

  async forAwait() {
    const port = new MsgPort('loop');
    const log = [];
    const consumer = (async () => {
      for await (const msg of port) {
        log.push(msg.data);
        msg.replymsg(undefined, msg.data + 1);
      }
      return 'ended';
    })();
    const answers = await run(() => [port.domsg(new Msg(1)), port.domsg(new Msg(2))]);
    const mine = port.owner === curthread();
    port.close();
    return { answers, log, mine, end: await consumer };
  },

  async priorities() {
    // the server's priority decides when it serves, not the sender's
    const log = [];
    const port = new MsgPort('urgent');
    const server = create(
      () => {
        for (const msg of port) {
          log.push(`serves ${msg.data}`);
          msg.replymsg();
        }
      },
      { priority: 20 },
    );
    await run(() => {
      sleep(1);
      const others = ['x', 'y'].map((name) => create(() => log.push(name), { priority: 10 }));
      port.sendmsg(new Msg('a'));
      yieldNow(); // the server runs before the equals and the lower ones
      log.push('sender');
      port.domsg(new Msg('b'));
      for (const td of others) td.join();
    });
    port.close();
    await server.finished;
    return log;
  },

  async reuse() {
    const port = new MsgPort('echo');
    const td = serve(port, (_, msg) => msg.data.n);
    const n = scale(2000);
    const sum = await run(() => {
      const msg = new Msg({ n: 0 });
      let total = 0;
      for (let i = 0; i < n; i++) {
        msg.data.n = i;
        total += port.domsg(msg);
      }
      return total;
    });
    port.close();
    await td.finished;
    return sum === (n * (n - 1)) / 2;
  },

  async longQueue() {
    const n = scale(100_000);
    return run(() => {
      const port = new MsgPort('long');
      for (let i = 0; i < n; i++) port.sendmsg(new Msg(i));
      let ordered = port.length === n;
      for (let i = 0; i < n; i++) {
        const msg = port.getport();
        ordered &&= msg.data === i;
        if (i % 7 === 0) port.sendmsg(new Msg(n + i / 7));
        if (i % 2 === 0) msg.replymsg();
      }
      const rest = port.length;
      let last;
      for (let msg = port.getport(); msg; msg = port.getport()) last = msg.data;
      return {
        ordered,
        rest: rest === Math.ceil(n / 7),
        last: last === n + Math.ceil(n / 7) - 1,
        replies: curthread().port.length === Math.ceil(n / 2),
      };
    });
  },

  async middle() {
    // replies that are waited for leave the queue from its middle, its head and its end
    return run(() => {
      const port = new MsgPort('echo', { putport: (msg) => msg.data });
      const mine = curthread().port;
      const left = (taken, then = []) => {
        const msgs = Array.from('abcde', (data) => new Msg(data));
        for (const msg of msgs) port.sendmsg(msg);
        for (const i of taken) msgs[i].waitmsg();
        for (const i of then) port.sendmsg(msgs[i]);
        const { length } = mine;
        let order = '';
        for (let msg = mine.getport(); msg; msg = mine.getport()) order += msg.data;
        return `${length} ${order}`;
      };
      return {
        none: left([]),
        middle: left([2]),
        neighbours: left([1, 3, 2]),
        head: left([0, 1]),
        end: left([4, 3]),
        all: left([2, 0, 4, 1, 3]),
        again: left([0, 2, 4], [4, 0]),
        allAgain: left([4, 3, 2, 1, 0], [1, 2]),
      };
    });
  },

  async uncollected() {
    // one reply that nobody collects makes the others no slower: in CPU time, of which other programs take nothing, and the best of several counts
    const n = scale(20_000, 500);
    return run(() => {
      const time = (lost) => {
        const port = new MsgPort('echo', { putport: (msg) => msg.data });
        const replyPort = new MsgPort('replies');
        if (lost) port.sendmsg(new Msg('lost', { replyPort }));
        const before = process.cpuUsage();
        for (let i = 0; i < n; i++) {
          const msg = new Msg(i, { replyPort });
          port.sendmsg(msg);
          msg.waitmsg();
        }
        const { user, system } = process.cpuUsage(before);
        return { used: user + system, left: replyPort.length };
      };
      const best = (lost) => Math.min(...Array.from({ length: 5 }, () => time(lost).used));
      const without = best(false);
      const ratio = best(true) / without;
      return { ratio, left: time(true).left };
    });
  },

  async wrongTypes() {
    return run(() => {
      const port = new MsgPort('p');
      const shared = new MsgPort('s', { shared: true });
      const echo = new MsgPort('echo', { putport: (msg) => msg.data });
      const msg = new Msg(1);
      const replied = new Msg(1);
      echo.sendmsg(replied);
      const refused = {
        msgOptionsNull: thrownBy(() => new Msg(1, null)),
        msgOptionsText: thrownBy(() => new Msg(1, 'port')),
        replyPortObject: thrownBy(() => new Msg(1, { replyPort: {} })),
        replyPortNull: thrownBy(() => new Msg(1, { replyPort: null })),
        replyPortLooksLikeOne: thrownBy(() => new Msg(1, { replyPort: { enqueue() {} } })),
        replyPortSet: thrownBy(() => {
          msg.replyPort = {};
        }),
        portOptionsNull: thrownBy(() => new MsgPort('x', null)),
        portOptionsText: thrownBy(() => new MsgPort('x', 'shared')),
        portNameNull: thrownBy(() => new MsgPort(null)),
        portOwnerNull: thrownBy(() => new MsgPort('x', { owner: null })),
        portSharedText: thrownBy(() => new MsgPort('x', { shared: 'yes' })),
        portPutportNull: thrownBy(() => new MsgPort('x', { putport: null })),
        domsgOptions: thrownBy(() => shared.domsg(msg, null)),
        domsgSignal: thrownBy(() => shared.domsg(msg, { signal: {} })),
        domsgTimeout: thrownBy(() => echo.domsg(msg, { timeout: '1' })),
        waitportOptions: thrownBy(() => port.waitport(1)),
        waitmsgOptions: thrownBy(() => replied.waitmsg(null)),
        waitmsgSignal: thrownBy(() => replied.waitmsg({ signal: 'no' })),
      };
      // nothing of this has changed anything
      const left = `${msg.state} ${msg.replyPort} ${port.owner} ${shared.length} ${replied.state}`;
      return { refused, left, collected: replied.waitmsg({ timeout: 1 }) };
    });
  },

  async replyPortSet() {
    return run(() => {
      const replies = new MsgPort('replies');
      const echo = new MsgPort('echo', { putport: (msg) => msg.data });
      const msg = new Msg('m');
      msg.replyPort = replies;
      echo.sendmsg(msg);
      // its place is in that port's queue now
      const refused = thrownBy(() => {
        msg.replyPort = curthread().port;
      }).code;
      const length = replies.length;
      const result = msg.waitmsg();
      msg.replyPort = undefined; // absent: the sender's own again
      echo.sendmsg(msg);
      return { refused, length, result, left: replies.length, own: curthread().port.getport() === msg };
    });
  },

  async promisesAndPorts() {
    // a putport may itself be a blocking function: it runs on the sender's stack
    const port = new MsgPort('blocking', {
      putport: (msg) => wait(new Promise((resolve) => setTimeout(resolve, 1, msg.data))),
    });
    return run(() => port.domsg(new Msg('waited for')));
  },
});
