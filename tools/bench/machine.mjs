// The lines above the table: what the figures were measured on. Figures of different machines are not to be compared, ratios with care.
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

export function machine() {
  const { glibcVersionRuntime } = process.report.getReport().header;
  return [
    `machine  ${process.arch}, ${availableParallelism()} CPUs, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `CPU      ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    `kernel   ${type()} ${release()}, glibc ${glibcVersionRuntime ?? 'unknown'}`,
    `Node     ${process.version}, V8 ${process.versions.v8}, libuv ${process.versions.uv}`,
  ];
}
