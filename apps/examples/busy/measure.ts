/**
 * measure.ts: how long light requests take beside heavy ones, for each place where the busy server can compute. Each server is a
 * process of its own; the clients are here.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { preemptible, wait } from '@libcr/core';
import { type Figures, load } from './clients.ts';
import { fit, HEAVY } from './compute.ts';

const USAGE = `usage: measure [--seconds N] [--slice MS] [--below N] [--json] [loop|userthread|preemptible]...
    --seconds  how long each server is under load (5 if absent)
    --slice    as for busy
    --below    as for busy; found out once if absent, so that all do the same work
    --json     a line of JSON for each
`;
const LWKT = fileURLToPath(new URL('../../lwkt/dist/cli.js', import.meta.url));
const BUSY = fileURLToPath(new URL('busy.ts', import.meta.url));
const PLACES: Record<string, string> = {
  loop: 'on the event loop',
  userthread: 'on a userthread each',
  preemptible: 'on a preemptible userthread each',
};

/** Starts the server, puts the load on it, and ends it, whatever has happened. */
function measure(place: string, seconds: number, options: string[]): Figures {
  const server = spawn(process.execPath, [LWKT, 'run', BUSY, '--on', place, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'exit');
  try {
    const line = once(createInterface(server.stdout), 'line');
    const [said] = wait(Promise.race([line, ended]));
    const base = /^busy: (http:\S+)$/.exec(String(said))?.[1];
    if (base === undefined) throw new Error('the server did not start');
    return load(base, seconds);
  } finally {
    server.kill();
    wait(ended);
  }
}

function print(place: string, { light, p50, p99, heavy }: Figures): void {
  const ms = (figure: number): string => `${figure.toFixed(1)} ms`.padStart(9);
  console.log(
    `${(PLACES[place] as string).padEnd(33)} ${ms(p50)} ${ms(p99)}   (${light} light, ${heavy} heavy)`,
  );
}

function commandLine() {
  try {
    const { values, positionals } = parseArgs({
      options: {
        seconds: { type: 'string', default: '5' },
        slice: { type: 'string' },
        below: { type: 'string', default: '' },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const seconds = Number(values.seconds);
    if (!(seconds > 0 && seconds <= 3600) || positionals.some((name) => !Object.hasOwn(PLACES, name)))
      return undefined;
    const options = ['--below', values.below === '' ? String(fit(HEAVY)) : values.below];
    if (values.slice !== undefined) options.push('--slice', values.slice);
    return {
      seconds,
      options,
      json: values.json,
      places: positionals.length > 0 ? positionals : Object.keys(PLACES),
    };
  } catch {
    return undefined; // an option that does not exist
  }
}

/** Why userthreads cannot be preempted here, if they can't: not every Node can be. */
function whyNot(): string | undefined {
  try {
    preemptible(() => {});
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_LWKT_NO_PREEMPTION') return (error as Error).message;
    throw error;
  }
}

const given = commandLine();
if (given) {
  if (!given.json) console.log(`${'it computes'.padEnd(33)} ${'p50'.padStart(9)} ${'p99'.padStart(9)}`);
  for (const place of given.places) {
    const why = place === 'preemptible' ? whyNot() : undefined;
    if (why !== undefined) {
      console.error(`measure: ${why}`);
      continue;
    }
    const figures = measure(place, given.seconds, given.options);
    if (given.json) console.log(JSON.stringify({ place, ...figures }));
    else print(place, figures);
  }
} else {
  process.stderr.write(USAGE);
  process.exitCode = 2;
}
