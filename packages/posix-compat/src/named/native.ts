/**
 * native.ts: loads the native half, which only named semaphores need (and `lwkt run`, spawn/become.ts): so when the first of them is opened. Whether libcr runs on this
 * machine at all has been found out by @libcr/core.
 */
import { loadNativeHalf } from '@libcr/core/internal';

/** A semaphore that is mapped. Never used after close(). */
export type Mapped = object;

/** addon/semaphore.c. */
export interface SemaphoreNative {
  /** The semaphore of that file, or an errno. */
  map(fd: number): Mapped | number;
  close(semaphore: Mapped): void;
  value(semaphore: Mapped): number;
  /** Whether it has taken one. */
  tryWait(semaphore: Mapped): boolean;
  /** 0 or an errno. */
  post(semaphore: Mapped): number;
  /** Nobody here wants what onReady has told. */
  passOn(semaphore: Mapped): void;
  /** 0 or an errno. onReady is called once, when the value is above 0; it doesn't keep the event loop alive. */
  watch(semaphore: Mapped, onReady: () => void): number;
  unwatch(semaphore: Mapped): void;
}

let loaded: SemaphoreNative | undefined;

/** Throws ERR_LIBCR_NATIVE. */
export function loadNative(): SemaphoreNative {
  loaded ??= loadNativeHalf<SemaphoreNative>({
    of: '@libcr/posix-compat',
    name: 'semaphore',
    url: import.meta.url,
    neededBy: 'named semaphores',
  });
  return loaded;
}
