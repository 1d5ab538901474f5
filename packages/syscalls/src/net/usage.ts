/**
 * usage.ts: who is in a call on something that can be closed. A descriptor's number may stand for another file as soon as it is closed: so
 * those who are in a call are interrupted first, and the last of them closes it.
 *
 * Invariant: release is called once, and nobody is in a call then, or enters one later.
 */
import { curthread, type UserThread } from '@libcr/core';
import { Interruption, interrupt, uninterrupt } from '@libcr/core/internal';
import { through } from '../port/syscall-port.ts';

export class Usage {
  private readonly users = new Set<UserThread>();
  private readonly interruption: Interruption;
  private readonly release: () => void;
  private isOver = false;

  /** closed makes the error of those who are late, release lets go of what it is about: through the port of where it was made, whoever is the last. */
  constructor(closed: () => Error, release: () => void) {
    const { syscallPort } = curthread();
    this.interruption = new Interruption(closed);
    this.release = () => through(syscallPort, release);
  }

  /** Whether end() has been called. */
  get over(): boolean {
    return this.isOver;
  }

  /** Throws where it is over. */
  check(): void {
    if (this.isOver) throw this.interruption.error();
  }

  /** Makes a call, which may block. */
  use<R>(call: () => R): R {
    this.check();
    const td = curthread();
    this.users.add(td);
    try {
      return call();
    } finally {
      this.users.delete(td);
      uninterrupt(td, this.interruption);
      if (this.isOver && this.users.size === 0) this.release();
    }
  }

  /** Interrupts those who are in a call. Does not block. Harmless when it is over. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.users.size === 0) this.release();
    for (const td of this.users) interrupt(td, this.interruption);
  }
}
