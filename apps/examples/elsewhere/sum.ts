/**
 * sum.ts: the SHA-256 of every file below a folder of another host, in sha256sum's format: treesum's walk, and a userthread for each file, whose system calls are made there. README.md says how.
 */
import { createHash } from 'node:crypto';
import { create, map, wait } from '@libcr/core';
import { mount, remote } from '@libcr/nats/syscalls';
import { constants, sys } from '@libcr/syscalls';
import { connect } from '@nats-io/transport-node';
import { printError, printSum } from '../treesum/lines.ts';
import { walk } from '../treesum/walk.ts';

const AT_ONCE = 64;
const HERE = '/elsewhere';
const [folder, name = 'files-host'] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: sum FOLDER [NAME]\n');
  process.exit(2);
}

function sum(path: Buffer): string {
  const fd = sys.open(path, constants.O_RDONLY | constants.O_CLOEXEC);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(256 * 1024);
    for (let n = sys.read(fd, buffer); n > 0; n = sys.read(fd, buffer)) hash.update(buffer.subarray(0, n));
    return hash.digest('hex');
  } finally {
    sys.close(fd);
  }
}

const nc = wait(connect({ servers: process.env.NATS_URL ?? '127.0.0.1:4222' }));
const files = remote(nc, name);
create(
  () => {
    const paths: Buffer[] = [];
    const complain = (path: Buffer, error: unknown): void => {
      printError(path, error);
      process.exitCode = 1;
    };
    walk(Buffer.from(`${HERE}${folder}`), complain, (path) => paths.push(path));
    const sums = map(
      paths,
      (path) => {
        try {
          return sum(path);
        } catch (error) {
          complain(path, error);
          return undefined;
        }
      },
      { concurrency: AT_ONCE },
    );
    sums.forEach((digest, i) => {
      if (digest !== undefined) printSum((paths[i] as Buffer).subarray(HERE.length), digest);
    });
  },
  { syscallPort: sys.with(mount(HERE, files)) },
).join();
files.close();
wait(nc.drain());
