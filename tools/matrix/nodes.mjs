// The Nodes in package.json: which there are, where they are, and their installation.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));

/** Their major versions. */
export const nodes = Object.keys(dependencies).map((name) => name.replace('node', ''));

/** Has bin/node and include/node. */
export const nodeFolder = (major) => join(here, 'node_modules', `node${major}`);

/** The version that is installed here; undefined if there is none. */
export function installedVersion(major) {
  const manifest = join(nodeFolder(major), 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined;
}

export function installNodes() {
  if (nodes.every((major) => dependencies[`node${major}`].endsWith(`@${installedVersion(major)}`))) return;
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: here, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
