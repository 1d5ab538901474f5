// A load from start to end: HOW LOAD SCRATCH. HOW: "native", "record", "replay", "rr" or "rr-replay". What a replay reads is recorded ahead, and not measured.
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { report } from '../../sample.mjs';
import { run } from '../programs/under.mjs';
import { loads } from './loads.mjs';

const LAUNCHER = join(import.meta.dirname, '../../../../packages/posix-compat/prebuilds/linux-x64/libcr');
const [how, name, scratch] = process.argv.slice(2);
const load = loads[name];
const file = join(scratch, `recording-of-${name}`);
const command = load.command(scratch);

/** Nanoseconds. */
function time(words) {
  const input = load.input === undefined ? 'ignore' : openSync(load.input, 'r');
  const begun = process.hrtime.bigint();
  run(words, { stdio: [input, 'ignore', 'pipe'] });
  const ended = process.hrtime.bigint();
  if (input !== 'ignore') closeSync(input);
  return Number(ended - begun);
}

const record = () => time([LAUNCHER, `--record=${file}`, '--', ...command]);
const rr = () => time(['rr', 'record', '-o', file, ...command]);
const ways = {
  native: () => time(command),
  record,
  replay: () => record() && time([LAUNCHER, `--replay=${file}`]),
  rr,
  'rr-replay': () => rr() && time(['rr', 'replay', '-a', file]),
};

load.before?.(scratch);
rmSync(file, { recursive: true, force: true });
report(ways[how]());
rmSync(file, { recursive: true, force: true });
