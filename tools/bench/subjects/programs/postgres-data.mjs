// A database for pgbench, made natively, and how its programs are run: PostgreSQL's are in a folder of their own, and do not run as root.
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run, withServer } from './under.mjs';

const ROOT = '/usr/lib/postgresql';
const SCALE = '8';

/** The newest version's folder of programs; undefined: it is not installed. */
export function postgresPrograms() {
  const versions = existsSync(ROOT) ? readdirSync(ROOT).sort((a, b) => Number(b) - Number(a)) : [];
  const folder = versions
    .map((version) => join(ROOT, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
  return folder && existsSync(join(folder, 'pgbench')) ? folder : undefined;
}

export function postgres(scratch) {
  const programs = postgresPrograms();
  const as =
    process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
  return { data: join(scratch, 'postgres'), as, program: (name) => join(programs, name) };
}

export async function makeDatabase(scratch) {
  const { data, as, program } = postgres(scratch);
  chmodSync(scratch, 0o755);
  mkdirSync(data);
  if (as.length) run(['chown', 'postgres', data]);
  run([...as, program('initdb'), '-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync']);
  const ready = () => {
    try {
      run([program('pg_isready'), '-q', '-h', data]);
      return true;
    } catch {
      return false;
    }
  };
  const server = ['-D', data, '-k', data, '-c', 'listen_addresses=', '-c', 'fsync=off'];
  await withServer(
    [...as, program('postgres'), ...server],
    { ready, signal: 'SIGINT', stdio: 'ignore' },
    () => run([program('pgbench'), '-h', data, '-U', 'postgres', '-i', '-q', '-s', SCALE, 'postgres']),
  );
}
