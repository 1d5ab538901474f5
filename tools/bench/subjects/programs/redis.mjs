// redis-server under redis-benchmark, 50 clients: HOW SCRATCH. Nanoseconds of one request.
import { reportFigures } from '../../sample.mjs';
import { freePort, perSecond, run, under, withServer } from './under.mjs';

const REQUESTS = '100000';
const [how, scratch] = process.argv.slice(2);
const port = await freePort();
const server = ['redis-server', '--port', port, '--save', '', '--dir', scratch, '--logfile', '/dev/null'];
await withServer([...under(how), ...server], { port }, () => {
  const text = run(['redis-benchmark', '-p', port, '-n', REQUESTS, '-c', '50', '-t', 'set,get', '--csv']);
  reportFigures({ SET: perSecond(text, /"SET","([\d.]+)"/), GET: perSecond(text, /"GET","([\d.]+)"/) });
});
