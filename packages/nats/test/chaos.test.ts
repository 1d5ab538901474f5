/**
 * chaos.test.ts: three server processes and four clients, while servers are killed and started, and the NATS server too. Counted from both sides: what was handled, and what became of each message.
 * LIBCR_NATS_MESSAGES=100000 for all of it, LIBCR_SOAK_SEED to make the same choices again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterEach, describe, expect, test } from 'vitest';
import { hasServer, NatsServer } from './nats-server.ts';

const MESSAGES = Number(process.env.LIBCR_NATS_MESSAGES ?? 8000);
const SEED = Number(process.env.LIBCR_SOAK_SEED ?? randomInt(1_000_000));
const SERVERS = 3;
const CLIENTS = 4;
const LIMIT = 60_000 + MESSAGES * 20;
if (hasServer) console.log(`chaos: seed ${SEED}`);

/** What a message may fail with while servers come and go. */
const MAY_FAIL = [
  'ERR_LIBCR_NATS_NO_RESPONDERS',
  'ERR_LIBCR_NATS_LOST',
  'ERR_LIBCR_NATS_DISCONNECTED',
  'ERR_LIBCR_NATS_STOPPED',
];

const running = new Set<ChildProcess>();
let nats: NatsServer;
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await nats?.kill();
});

function program(file: string, args: string[]): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'programs', file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function client(kind: string, first: number, count: number): Promise<Record<string, string>> {
  const child = program('chaos-client.mjs', [nats.url, 'chaos', String(first), String(count), kind]);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await once(child, 'close');
  return JSON.parse(text) as Record<string, string>;
}

/** Runs clients while others disturb; what became of each message, and how often each was handled. */
async function chaos(
  kind: 'plain' | 'durable',
): Promise<{ outcomes: Record<string, string>; handled: Map<number, number> }> {
  let state = SEED + 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  nats = await new NatsServer(...(kind === 'durable' ? ['-js'] : [])).start();
  const log = join(nats.folder, 'handled');
  const server = async (): Promise<ChildProcess> => {
    const child = program('chaos-server.mjs', [nats.url, 'chaos', log, kind]);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    return child;
  };
  const servers = await Promise.all(Array.from({ length: SERVERS }, server));
  const each = MESSAGES / CLIENTS;
  const begun = performance.now();
  const killed = { servers: 0, nats: 0 };
  let over = false;
  const clients = Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => client(kind, i * each, each)),
  ).finally(() => {
    over = true;
  });
  for (let n = 0; !over; n++) {
    await pause(100 + random(200));
    if (n % 5 === 0) {
      await nats.kill();
      killed.nats++;
      await pause(random(100));
      await nats.start();
      continue;
    }
    const i = random(SERVERS);
    const old = servers[i] as ChildProcess;
    old.kill('SIGKILL');
    await once(old, 'exit');
    killed.servers++;
    servers[i] = await server();
  }
  const outcomes = Object.assign({}, ...(await clients)) as Record<string, string>;
  if (kind === 'durable') await emptied();
  const handled = new Map<number, number>();
  for (const line of existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [])
    if (line !== '') handled.set(Number(line), (handled.get(Number(line)) ?? 0) + 1);
  expect(killed.nats).toBeGreaterThan(0);
  tell(kind, { outcomes, handled, killed, seconds: (performance.now() - begun) / 1000 });
  return { outcomes, handled };
}

/** The figures, for docs/nats.md. */
function tell(
  kind: string,
  told: {
    outcomes: Record<string, string>;
    handled: Map<number, number>;
    killed: { servers: number; nats: number };
    seconds: number;
  },
): void {
  const { outcomes, handled, killed, seconds } = told;
  const counts: Record<string, number> = {};
  for (const outcome of Object.values(outcomes)) counts[outcome] = (counts[outcome] ?? 0) + 1;
  let again = 0;
  for (const times of handled.values()) again += times - 1;
  console.log(
    `${kind}: ${MESSAGES} messages in ${seconds.toFixed(1)} s, ${killed.servers} servers and the NATS server ${killed.nats} times killed;`,
    `${handled.size} handled, ${again} times again;`,
    counts,
  );
}

/** All are acknowledged. What the stream still has then is what a NATS server that was killed had not written of its end. */
async function emptied(): Promise<void> {
  const nc = await nats.connect();
  const manager = await jetstreamManager(nc);
  for (;;) {
    const { num_pending: waiting, num_ack_pending: held } = await manager.consumers.info('libcr-chaos', 'q');
    if (waiting + held === 0) break;
    await pause(50);
  }
  expect((await manager.streams.info('libcr-chaos-dead')).state.messages).toBe(0);
  await nc.close();
}

describe.skipIf(!hasServer)(`seed ${SEED}, ${MESSAGES} messages`, () => {
  test('at most once: each is answered, or fails with a code, and none is handled twice', {
    timeout: LIMIT,
  }, async () => {
    const { outcomes, handled } = await chaos('plain');
    expect(Object.keys(outcomes)).toHaveLength(MESSAGES);
    let answered = 0;
    for (const [n, outcome] of Object.entries(outcomes)) {
      if (outcome === 'answered') {
        answered++;
        expect(handled.get(Number(n)), n).toBe(1);
      } else {
        expect(MAY_FAIL, n).toContain(outcome);
        expect(handled.get(Number(n)) ?? 0, n).toBeLessThanOrEqual(1);
      }
    }
    expect(answered).toBeGreaterThan(MESSAGES / 2);
  });

  test('durable: each is stored, handled at least once, and acknowledged in the end', {
    timeout: LIMIT,
  }, async () => {
    const { outcomes, handled } = await chaos('durable');
    expect(Object.keys(outcomes)).toHaveLength(MESSAGES);
    expect(Object.values(outcomes).filter((outcome) => outcome !== 'stored')).toEqual([]);
    for (let n = 0; n < MESSAGES; n++) expect(handled.get(n) ?? 0, String(n)).toBeGreaterThanOrEqual(1);
  });
});
