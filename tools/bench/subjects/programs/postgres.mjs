// PostgreSQL under pgbench with eight clients: HOW SCRATCH, where postgres-data.mjs has made the database. Nanoseconds of one transaction.
import { report } from '../../sample.mjs';
import { postgres } from './postgres-data.mjs';
import { perSecond, run, under, withServer } from './under.mjs';

const SECONDS = '5';
const [how, scratch] = process.argv.slice(2);
const { data, as, program } = postgres(scratch);
const server = [
  'postgres',
  '-D',
  data,
  '-k',
  data,
  '-c',
  'listen_addresses=',
  '-c',
  'fsync=off',
  '-c',
  'logging_collector=off',
];
const [first, ...rest] = server;
const ready = () => {
  try {
    run([program('pg_isready'), '-q', '-h', data]);
    return true;
  } catch {
    return false;
  }
};
const options = { ready, signal: 'SIGINT', stdio: 'ignore' };
await withServer([...as, ...under(how), program(first), ...rest], options, () => {
  const pgbench = ['-h', data, '-U', 'postgres', '-n', '-c', '8', '-j', '2', '-T', SECONDS, 'postgres'];
  const text = run([program('pgbench'), ...pgbench]);
  report(perSecond(text, /tps = ([\d.]+)/));
});
