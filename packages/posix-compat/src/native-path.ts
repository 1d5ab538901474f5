/**
 * native-path.ts: where the native half is, for those who do without @libcr/core, which named/native.ts asks: LIBCR_SEMAPHORE_NATIVE (a path), then
 * prebuilds/linux-x64-glibc/abi-<process.versions.modules>/semaphore.node of this package.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** undefined: there is none for this Node. */
export function nativePath(): string | undefined {
  const built = `../prebuilds/linux-x64-glibc/abi-${process.versions.modules}/semaphore.node`;
  return (
    process.env.LIBCR_SEMAPHORE_NATIVE ||
    [built, `../${built}`].map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync)
  );
}
