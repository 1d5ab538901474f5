/**
 * findings.ts: what this machine and this Node offer, read from /proc and from Node; nothing is changed and
 * nothing is tried. Where a file of /proc is not there, the finding says so instead of guessing.
 */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';

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

export function kernelAtLeast(major: number, minor: number): boolean {
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

/** How userthreads are made threads to V8, and whether they can be preempted: what @libcr/core has found in this Node. */
async function threadWords(): Promise<Finding[]> {
  try {
    const { native } = await import('@libcr/core/internal');
    const missing = native.preemptionMissing();
    const bySymbols = native.threadWords === 'symbols';
    return [
      {
        state: bySymbols ? 'ok' : 'note',
        name: 'thread words',
        value: bySymbols
          ? "V8's thread-local variables are known by the program's symbols"
          : "V8's thread-local variables were found by looking: this Node has no symbol table",
        ...(!bySymbols && { advice: 'use a Node that is not stripped, as the official builds are' }),
      },
      missing === undefined
        ? { state: 'ok', name: 'preemption', value: 'userthreads that compute can be preempted' }
        : {
            state: 'note',
            name: 'preemption',
            value: `off: ${missing}`,
            advice: 'everything else works; a userthread that computes keeps its turn',
          },
    ];
  } catch {
    return [{ state: 'note', name: 'thread words', value: 'unknown, as @libcr/core does not load' }];
  }
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
  return [
    platform(),
    glibc(),
    node(),
    ...(await threadWords()),
    await ioUring(),
    maxUserthreads(),
    openFiles(),
  ];
}
