// The lines above the tables: what the figures were measured on. Figures of different machines are not to be compared, ratios with care.
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

/** Whether user mode may write %fs itself; undefined where the package that knows has not been built. */
export async function hasFsgsbase() {
  try {
    return (await import('../../packages/posix-compat/dist/spawn.js')).hasFsgsbase();
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}

const FSGSBASE = new Map([
  [true, 'with FSGSBASE'],
  [false, 'without FSGSBASE'],
  [undefined, 'with or without FSGSBASE: "npm run build" makes what can tell'],
]);

export async function machine() {
  const { glibcVersionRuntime } = process.report.getReport().header;
  return [
    `date     ${new Date().toISOString().slice(0, 10)}`,
    `machine  ${process.arch}, ${availableParallelism()} CPUs, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `CPU      ${cpus()[0]?.model.trim() ?? 'unknown'}, ${FSGSBASE.get(await hasFsgsbase())}`,
    `kernel   ${type()} ${release()}, glibc ${glibcVersionRuntime ?? 'unknown'}`,
    `Node     ${process.version}, V8 ${process.versions.v8}, libuv ${process.versions.uv}`,
  ];
}
