// Makes a directory tree of small files for the group "treesum". The same seed gives the same tree, names and contents alike.
//
// Run by itself it leaves a tree behind: node tools/bench/tree.mjs DIRECTORY [FILES [SEED]]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const FILES = 6_000;
export const SEED = 20_261_124;
const LEAST = 200;
const MOST = 8_000;
const FILES_IN_FOLDER = 40;
const FOLDERS_IN_FOLDER = 12;

/** mulberry32: 32 bits of state, good enough for sizes and contents. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function makeTree(directory, files = FILES, seed = SEED) {
  const next = random(seed);
  for (let i = 0; i < files; i++) {
    const folder = Math.floor(i / FILES_IN_FOLDER);
    const path = join(
      directory,
      `folder-${Math.floor(folder / FOLDERS_IN_FOLDER)}`,
      `folder-${folder % FOLDERS_IN_FOLDER}`,
    );
    const content = Buffer.alloc(LEAST + Math.floor(next() * (MOST - LEAST + 1)));
    for (let at = 0; at + 4 <= content.length; at += 4) content.writeUInt32LE(next() * 2 ** 32, at);
    if (i % FILES_IN_FOLDER === 0) mkdirSync(path, { recursive: true });
    writeFileSync(join(path, `file-${i}`), content);
  }
  return { files, seed };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [directory, files = FILES, seed = SEED] = process.argv.slice(2);
  if (!directory) throw new Error('usage: node tools/bench/tree.mjs DIRECTORY [FILES [SEED]]');
  console.log(makeTree(directory, Number(files), Number(seed)));
}
