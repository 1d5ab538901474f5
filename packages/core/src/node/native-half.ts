/**
 * native-half.ts: finds and loads a package's native half, or says what is missing and which command builds it. All packages of this project use it.
 *
 * Order: LIBCR_<NAME>_NATIVE (a path), then prebuilds/linux-x64-glibc/abi-<process.versions.modules>/<name>.node of the package, where npx @libcr/core build
 * puts what it builds, too. There is one for each Node ABI: core's uses V8 and not Node-API alone.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { CodedError } from '../errors/errors.ts';

export interface NativeHalf {
  /** Of the package: '@libcr/core'. */
  readonly of: string;
  /** Of the file: 'core'. */
  readonly name: string;
  /** import.meta.url of a module in the package's src/ or dist/, or in a folder there. */
  readonly url: string;
  /** What cannot be done without it; undefined: nothing can. */
  readonly neededBy?: string;
}

/** The paths to try, in this order. */
export function placesOf({ name, url }: NativeHalf): string[] {
  const built = `prebuilds/linux-x64-glibc/abi-${process.versions.modules}/${name}.node`;
  const fromEnvironment = process.env[`LIBCR_${name.toUpperCase()}_NATIVE`];
  const ours = [`../${built}`, `../../${built}`].map((place) => fileURLToPath(new URL(place, url)));
  return [...(fromEnvironment ? [fromEnvironment] : []), ours.find((place) => existsSync(place)) ?? ours[0]];
}

/** What this system is that no native half is for. */
function missing(): string | undefined {
  if (process.platform !== 'linux') return `it runs on Linux only, and this is ${process.platform}`;
  if (process.arch !== 'x64') return `it runs on x86-64 only (for now), and this is ${process.arch}`;
  const report = process.report as unknown as { excludeNetwork: boolean; getReport(): unknown };
  const before = report.excludeNetwork;
  report.excludeNetwork = true; // or it looks up host names
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before;
  if (!header.glibcVersionRuntime)
    return 'it needs glibc, and this Node uses another C library (musl: Alpine Linux?)';
  return undefined;
}

/** Throws ERR_LIBCR_NATIVE. */
export function loadNativeHalf<Native>(half: NativeHalf): Native {
  const require = createRequire(half.url);
  const tried: string[] = [];
  let cause: unknown;
  for (const path of placesOf(half)) {
    if (!existsSync(path)) {
      tried.push(`${path}: no such file`);
      continue;
    }
    try {
      return require(path) as Native;
    } catch (error) {
      cause = error;
      tried.push(`${path}: ${(error as Error).message}`);
    }
  }
  const reason = missing();
  const needs = half.neededBy === undefined ? '' : `, which ${half.neededBy} need`;
  throw new CodedError(
    'ERR_LIBCR_NATIVE',
    reason
      ? `${half.of} cannot run here: ${reason}`
      : `${half.of} has no native half for Node ${process.version} (ABI ${process.versions.modules})${needs}. Tried\n` +
          `  ${tried.join('\n  ')}\n` +
          'This builds it, for all packages of libcr that are installed here (a C++ compiler, make and Python 3 are needed):\n' +
          '  npx @libcr/core build\n' +
          'In a checkout of libcr, "npm run build" makes it for the Node that runs npm.',
    { cause },
  );
}
