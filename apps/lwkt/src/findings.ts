/**
 * findings.ts: what this machine and this Node offer, read from /proc and from Node; nothing is changed and
 * nothing is tried. Where a file of /proc is not there, the finding says so instead of guessing.
 */
import { readFileSync } from 'node:fs';
import { endianness, release } from 'node:os';

export interface Finding {
  /** missing: libcr does not work without it. note: it works, another way. */
  state: 'ok' | 'missing' | 'note';
  name: string;
  value: string;
  /** What to do, or what it means. */
  advice?: string;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function kernelAtLeast(major: number, minor: number): boolean {
  const [a = 0, b = 0] = release().split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

function platform(): Finding {
  const ok = process.platform === 'linux' && process.arch === 'x64';
  return {
    state: ok ? 'ok' : 'missing',
    name: 'system',
    value: `${process.platform} ${release()}, ${process.arch}`,
    ...(!ok && { advice: 'libcr runs on Linux on x86-64' }),
  };
}

function glibc(): Finding {
  const report = process.report as unknown as { excludeNetwork: boolean; getReport(): unknown };
  const before = report.excludeNetwork;
  report.excludeNetwork = true; // or it looks up host names
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before;
  const version = header.glibcVersionRuntime;
  if (version) return { state: 'ok', name: 'glibc', value: version };
  return {
    state: 'missing',
    name: 'glibc',
    value: 'not found',
    advice: 'use a Node built for glibc (Debian, Ubuntu, Fedora, …), not for musl (Alpine)',
  };
}

function node(): Finding {
  const { node, v8, modules } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return {
    state: ok ? 'ok' : 'missing',
    name: 'node',
    value: `${node}, ABI ${modules}, V8 ${v8}`,
    ...(!ok && { advice: 'use Node 20.19 or later' }),
  };
}

const AT_HWCAP2 = 26n;
const HWCAP2_FSGSBASE = 2n;

/**
 * Whether user mode may write %fs and %gs: the kernel says so in the auxiliary vector, pairs of 64-bit
 * numbers.
 */
function fsgsbase(): Finding {
  const name = 'fsgsbase';
  let auxv: Buffer;
  try {
    auxv = readFileSync('/proc/self/auxv');
  } catch {
    return { state: 'note', name, value: 'unknown: /proc/self/auxv cannot be read' };
  }
  const word = (at: number): bigint =>
    endianness() === 'LE' ? auxv.readBigUInt64LE(at) : auxv.readBigUInt64BE(at);
  for (let at = 0; at + 16 <= auxv.length; at += 16)
    if (word(at) === AT_HWCAP2 && (word(at + 8) & HWCAP2_FSGSBASE) !== 0n)
      return { state: 'ok', name, value: 'yes: a switch writes %fs itself' };
  return {
    state: 'note',
    name,
    value: 'no: a switch asks the kernel (arch_prctl)',
    advice:
      'a switch takes 0.1 to 5 µs longer; Linux 5.9 and an Intel CPU since 2012 or AMD since 2019 have it',
  };
}

/** What the machine says about io_uring, where @libcr/syscalls did not get it. */
function ringForbidden(): string {
  const disabled = read('/proc/sys/kernel/io_uring_disabled')?.trim();
  if (!kernelAtLeast(5, 1)) return '; this kernel is older than 5.1';
  if (disabled === '1' || disabled === '2') return `; sysctl kernel.io_uring_disabled is ${disabled}`;
  return /^Seccomp:\s*2$/m.test(read('/proc/self/status') ?? '') ? '; a seccomp filter is active' : '';
}

/** The way that @libcr/syscalls has really chosen in this process, and why. */
async function ioUring(): Promise<Finding> {
  const name = 'io_uring';
  try {
    const { path } = await import('@libcr/syscalls');
    const { name: way, why, missing } = path();
    if (way === 'ring' && missing.length === 0)
      return { state: 'ok', name, value: 'used: calls that wait go to a ring' };
    if (way === 'ring')
      return {
        state: 'note',
        name,
        value: `used: calls that wait go to a ring; this kernel's lacks ${missing.join(', ')}`,
        advice: 'helper threads make those calls',
      };
    return {
      state: 'note',
      name,
      value: `not used: ${why}${ringForbidden()}`,
      advice:
        'calls that wait use epoll and helper threads: the same answers, files that are not in memory take longer',
    };
  } catch {
    return { state: 'note', name, value: 'unknown, as @libcr/syscalls does not load' };
  }
}

function maxUserthreads(): Finding {
  const name = 'userthreads';
  if (kernelAtLeast(6, 13))
    return { state: 'ok', name, value: 'as many as memory holds: guard pages need no mapping (Linux 6.13)' };
  const maps = Number(read('/proc/sys/vm/max_map_count'));
  if (!maps) return { state: 'note', name, value: 'limit unknown: vm.max_map_count cannot be read' };
  return {
    state: 'note',
    name,
    value: `about ${Math.floor(maps / 2)} at a time: vm.max_map_count is ${maps}, and a stack takes two mappings`,
    advice: 'for more: sysctl -w vm.max_map_count=N, or Linux 6.13',
  };
}

function openFiles(): Finding {
  const limits = /^Max open files\s+(\S+)\s+(\S+)/m.exec(read('/proc/self/limits') ?? '');
  if (!limits) return { state: 'note', name: 'open files', value: 'limit unknown' };
  return {
    state: 'ok',
    name: 'open files',
    value: `${limits[1]} at a time (ulimit -n), ${limits[2]} at most`,
  };
}

/** Everything that can be seen without trying it. */
export async function look(): Promise<Finding[]> {
  return [platform(), glibc(), node(), fsgsbase(), await ioUring(), maxUserthreads(), openFiles()];
}
