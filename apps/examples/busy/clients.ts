/**
 * clients.ts: the load on the busy server. Two clients ask for /heavy, each again as soon as it has its answer. Beside them /light is asked for
 * every 10 ms, whether or not earlier answers have come: a client that waits for its answer first would ask least when it is served worst.
 * All in blocking style; called on a userthread.
 */
import { create, type UserThread, wait } from '@libcr/core';
import { ticker } from '@libcr/syscalls/net';

const HEAVY_CLIENTS = 2;
const EVERY = 10; // ms
const WARM_UP = 500; // ms

export interface Figures {
  /** How many light requests were answered. */
  light: number;
  /** Milliseconds from asking to the whole answer, of light requests. */
  p50: number;
  p99: number;
  /** How many heavy requests were answered. */
  heavy: number;
}

function get(url: string): void {
  const answer = wait(fetch(url));
  const text = wait(answer.text());
  if (answer.status !== 200) throw new Error(`${url}: status ${answer.status}: ${text}`);
}

function percentile(sorted: number[], percent: number): number {
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1] as number;
}

/** Puts the load on the server at `base` ("http://127.0.0.1:8475/") for so many seconds, and waits for the answers that are still to come. */
export function load(base: string, seconds: number): Figures {
  let heavy = 0;
  let over = false;
  const heavyClient = (): void => {
    while (!over) {
      get(`${base}heavy`);
      heavy++;
    }
  };
  const lightClient = (): number => {
    const start = performance.now();
    get(`${base}light`);
    return performance.now() - start;
  };

  const heavyClients = Array.from({ length: HEAVY_CLIENTS }, () => create(heavyClient));
  const lightClients: UserThread<number>[] = [];
  let warm = 0; // how many of them do not count
  const start = performance.now();
  for (const _ of ticker(EVERY)) {
    lightClients.push(create(lightClient));
    const passed = performance.now() - start;
    if (passed < WARM_UP) warm = lightClients.length;
    else if (passed > WARM_UP + seconds * 1000) break;
  }
  over = true;
  for (const td of heavyClients) td.join();
  const latencies = lightClients.map((td) => td.join()).slice(warm);

  latencies.sort((a, b) => a - b);
  return { light: latencies.length, p50: percentile(latencies, 50), p99: percentile(latencies, 99), heavy };
}
