/** error.ts: what is wrong with a configuration, with the place: a file's path, and where in it. */
import { CodedError, isError } from '@libcr/core/internal';

/** ERR_LIBCR_CONFIG. */
export function configError(place: string, message: string, cause?: unknown): CodedError {
  return new CodedError(
    'ERR_LIBCR_CONFIG',
    `${place}: ${message}`,
    cause === undefined ? undefined : { cause },
  );
}

export const textOf = (error: unknown): string => (isError(error) ? error.message : String(error));
