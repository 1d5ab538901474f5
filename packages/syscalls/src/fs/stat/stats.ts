/** stats.ts: Node's own Stats, BigIntStats and StatFs, made from the kernel's structs: instanceof fs.Stats holds. */
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeStatfs } from '../../codec/file/statfs.ts';
import { readBigI64, readBigU64, readU64 } from '../../codec/words.ts';

export const STATX_SIZE = 256;
export const STATFS_SIZE = 120;

/** What statx is asked for: everything basic and the time of birth. (STATX_BASIC_STATS | STATX_BTIME) */
export const STATX_MASK = 0xfff;

type Fields = Record<string, unknown>;
type Maker = new (struct: Buffer) => Fields;

/** makedev(3) */
const device = (struct: Buffer, at: number): number => {
  const major = struct.readUInt32LE(at);
  const minor = struct.readUInt32LE(at + 4);
  const low = ((major & 0xfff) << 8) | (minor & 0xff);
  return (low >>> 0) + ((minor >>> 8) & 0xfff) * 2 ** 20 + Math.floor(major / 2 ** 12) * 2 ** 44;
};

const milliseconds = (struct: Buffer, at: number): number =>
  (struct.readInt32LE(at + 4) * 2 ** 32 + struct.readUInt32LE(at)) * 1000 + struct.readUInt32LE(at + 8) / 1e6;

const nanoseconds = (struct: Buffer, at: number): bigint =>
  readBigI64(struct, at) * 1_000_000_000n + BigInt(struct.readUInt32LE(at + 8));

/** Where struct statx has the times (statx(2)), in Node's order. */
const TIMES = { atime: 64, mtime: 112, ctime: 96, birthtime: 80 };
const TIMES_IN_ORDER = Object.entries(TIMES);

/** Newer versions of Node have the dates as accessors of the prototype, which make them when they are first asked for. */
const datesAreOwn = !('atime' in fs.Stats.prototype);

const dateOf = (ms: number): Date => new Date(Math.round(ms));

function StatsMaker(this: Fields, struct: Buffer): void {
  this.dev = device(struct, 136);
  this.mode = struct.readUInt16LE(28);
  this.nlink = struct.readUInt32LE(16);
  this.uid = struct.readUInt32LE(20);
  this.gid = struct.readUInt32LE(24);
  this.rdev = device(struct, 128);
  this.blksize = struct.readUInt32LE(4);
  this.ino = readU64(struct, 32);
  this.size = readU64(struct, 40);
  this.blocks = readU64(struct, 48);
  const atimeMs = milliseconds(struct, TIMES.atime);
  const mtimeMs = milliseconds(struct, TIMES.mtime);
  const ctimeMs = milliseconds(struct, TIMES.ctime);
  const birthtimeMs = milliseconds(struct, TIMES.birthtime);
  this.atimeMs = atimeMs;
  this.mtimeMs = mtimeMs;
  this.ctimeMs = ctimeMs;
  this.birthtimeMs = birthtimeMs;
  if (!datesAreOwn) return;
  this.atime = dateOf(atimeMs);
  this.mtime = dateOf(mtimeMs);
  this.ctime = dateOf(ctimeMs);
  this.birthtime = dateOf(birthtimeMs);
}
StatsMaker.prototype = fs.Stats.prototype;

function BigIntStatsMaker(this: Fields, struct: Buffer): void {
  this.dev = BigInt(device(struct, 136));
  this.mode = BigInt(struct.readUInt16LE(28));
  this.nlink = BigInt(struct.readUInt32LE(16));
  this.uid = BigInt(struct.readUInt32LE(20));
  this.gid = BigInt(struct.readUInt32LE(24));
  this.rdev = BigInt(device(struct, 128));
  this.blksize = BigInt(struct.readUInt32LE(4));
  this.ino = readBigU64(struct, 32);
  this.size = readBigU64(struct, 40);
  this.blocks = readBigU64(struct, 48);
  const times = TIMES_IN_ORDER.map(([name, at]) => [name, nanoseconds(struct, at)] as const);
  for (const [name, ns] of times) this[`${name}Ms`] = ns / 1_000_000n;
  for (const [name, ns] of times) this[`${name}Ns`] = ns;
  if (datesAreOwn) for (const [name, ns] of times) this[name] = dateOf(Number(ns / 1_000_000n));
}

/** Under Node's permission model not every file may be looked at; this one has been loaded. */
function lookAtOne<R>(look: (path: string) => R): R {
  try {
    return look(fileURLToPath(import.meta.url));
  } catch {
    return look('/');
  }
}

// Node exports no class for it.
BigIntStatsMaker.prototype = Object.getPrototypeOf(lookAtOne((path) => fs.statSync(path, { bigint: true })));

const statFsOfNode = lookAtOne((path) => fs.statfsSync(path));

/** What this Node tells of a file system: newer versions have frsize, too. */
const STATFS_FIELDS = Object.keys(statFsOfNode) as (keyof fs.StatsFs &
  keyof ReturnType<typeof decodeStatfs>)[];

function StatFsMaker(this: Fields, struct: Buffer, bigint: boolean): void {
  const fields = decodeStatfs(struct);
  for (const name of STATFS_FIELDS) this[name] = bigint ? BigInt(fields[name]) : fields[name];
}
StatFsMaker.prototype = Object.getPrototypeOf(statFsOfNode);

/** From struct statx. */
export function statsOf(struct: Buffer, bigint: boolean): fs.Stats | fs.BigIntStats {
  const Maker = (bigint ? BigIntStatsMaker : StatsMaker) as unknown as Maker;
  return new Maker(struct) as unknown as fs.Stats;
}

export function statFsOf(struct: Buffer, bigint: boolean): fs.StatsFs | fs.BigIntStatsFs {
  const Maker = StatFsMaker as unknown as new (struct: Buffer, bigint: boolean) => Fields;
  return new Maker(struct, bigint) as unknown as fs.StatsFs;
}
