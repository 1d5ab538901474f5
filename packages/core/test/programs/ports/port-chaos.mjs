// Clients, servers, forwarders and aborts at random. See ports.test.ts.
import { create, curthread, Msg, MsgPort, sleep, yieldNow } from '@libcr/core';
import { main, scale } from '../check.mjs';

/** Numbers from 0 to n - 1, the same for the same seed (mulberry32). */
function random(seed) {
  let a = seed;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

main({
  async chaos() {
    // every message comes back exactly once, whatever clients, servers, forwarders and aborts do
    const seed = Number(process.env.LIBCR_SEED ?? Date.now() % 1e9);
    console.log(`seed ${seed}`);
    const pick = random(seed);
    const ports = Array.from({ length: 5 }, (_, i) => new MsgPort(`p${i}`, { shared: true }));
    let handled = 0;
    const servers = ports.flatMap((port, i) =>
      [0, 1].map(() =>
        create(() => {
          for (const msg of port) {
            const what = pick(10);
            if (what === 0) yieldNow();
            if (what === 1) sleep(0);
            if (what === 2 && msg.data.hops++ < 3) {
              ports[(i + 1) % ports.length].forwardmsg(msg);
              continue;
            }
            handled++;
            if (what === 3) msg.replymsg(new Error('refused'));
            else msg.replymsg(undefined, msg.data.id);
          }
        }),
      ),
    );
    const rounds = scale(200);
    const counts = { ok: 0, refused: 0, aborted: 0, wrong: 0 };
    const count = (msg) => {
      if (msg.state !== 'done') counts.wrong++;
      else if (msg.error === undefined) msg.result === msg.data.id ? counts.ok++ : counts.wrong++;
      else if (msg.error.message === 'refused') counts.refused++;
      else if (msg.error.name === 'AbortError') counts.aborted++;
      else counts.wrong++;
    };
    const clients = Array.from({ length: 10 }, (_, c) =>
      create(() => {
        const mine = curthread().port;
        let open = 0;
        for (let i = 0; i < rounds; i++) {
          const msg = new Msg({ id: `${c}.${i}`, hops: 0 });
          const port = ports[pick(ports.length)];
          if (pick(3) === 0) {
            try {
              port.domsg(msg);
            } catch {}
            count(msg);
            continue;
          }
          port.sendmsg(msg);
          open++;
          if (pick(5) === 0) msg.abortmsg();
          if (pick(4) === 0) {
            try {
              msg.waitmsg();
            } catch {}
            open--;
            count(msg);
          }
          for (let back = mine.getport(); back; back = mine.getport()) {
            open--;
            count(back);
          }
        }
        for (; open > 0; open--) count(mine.waitport());
        return mine.length;
      }),
    );
    const left = await Promise.all(clients.map((td) => td.finished));
    for (const port of ports) port.close();
    await Promise.all(servers.map((td) => td.finished));
    const { ok, refused, aborted, wrong } = counts;
    return {
      seed,
      wrong,
      all: ok + refused + aborted === rounds * 10,
      handled: handled >= ok + refused && handled <= rounds * 10,
      some: ok > 0 && refused > 0,
      left: left.every((n) => n === 0),
    };
  },
});
