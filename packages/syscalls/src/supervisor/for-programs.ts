/**
 * for-programs.ts: shims that are something else in front of a program: a file system in memory has to have real files there, which can be mapped, run and inherited.
 *
 * A shim says so by a method of this name; one that has none is the same for programs.
 */
import { CodedError } from '@libcr/core/internal';
import type { Shim } from '../port/shim.ts';

/** shim[FOR_PROGRAMS]() is the shim that is put before programs in its stead; or throws for one that can't be. */
export const FOR_PROGRAMS: unique symbol = Symbol.for('libcr.forPrograms');

export interface ProgramShim extends Shim {
  /** The supervisor has been closed. */
  close?(): void;
}

/** For a shim that can't be put before programs. */
export function notForPrograms(name: string, why: string): Error {
  return new CodedError('ERR_LIBCR_NOT_FOR_PROGRAMS', `${name} can't be put before a program: ${why}`);
}

export function forPrograms(shim: Shim & { [FOR_PROGRAMS]?: () => ProgramShim }): ProgramShim {
  return shim[FOR_PROGRAMS]?.() ?? shim;
}
