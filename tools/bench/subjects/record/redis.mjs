// redis-server under redis-benchmark: HOW SCRATCH. HOW: "native" or "record": nanoseconds of one request; "replay": those of the recorded run's replay, for each request, and
// "life": those of a native server from its start to its end.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { report } from '../../sample.mjs';
import { freePort, perSecond, run, withServer } from '../programs/under.mjs';

const LAUNCHER = join(import.meta.dirname, '../../../../packages/posix-compat/prebuilds/linux-x64/libcr');
const REQUESTS = 50000;
const [how, scratch] = process.argv.slice(2);
const file = join(scratch, 'recording-of-redis');

rmSync(file, { force: true });
const recorded = how === 'record' || how === 'replay';
const port = await freePort();
const server = ['redis-server', '--port', port, '--save', '', '--dir', scratch, '--logfile', '/dev/null'];
let nanoseconds = 0;
let begun = process.hrtime.bigint();
await withServer([...(recorded ? [LAUNCHER, `--record=${file}`, '--'] : []), ...server], { port }, () => {
  const text = run(['redis-benchmark', '-p', port, '-n', String(REQUESTS), '-c', '50', '-t', 'set', '--csv']);
  nanoseconds = perSecond(text, /"SET","([\d.]+)"/);
});
if (how === 'replay') {
  begun = process.hrtime.bigint();
  run([LAUNCHER, `--replay=${file}`], { stdio: ['ignore', 'ignore', 'pipe'] });
}
if (how === 'replay' || how === 'life') nanoseconds = Number(process.hrtime.bigint() - begun) / REQUESTS;
report(nanoseconds);
rmSync(file, { force: true });
