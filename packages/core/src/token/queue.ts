/**
 * queue.ts: who has a token or a serializer, and who waits for it. It is kept on one rfork, its home; others ask there by message (lock.ts).
 *
 * Invariants:
 *  - Those who have it all have it shared, or there is one of them.
 *  - Nobody overtakes: who wants to share it waits behind one who wants it for himself, so that one gets it.
 */

/** One who has it, or wants it. */
export interface Ticket {
  readonly shared: boolean;
  /** Called once, when it is his: at once, or later. */
  granted(): void;
}

export class TicketQueue {
  readonly #holders = new Set<Ticket>();
  #waiting: Ticket[] = [];

  /** Whether ticket could have it now. */
  free(shared: boolean): boolean {
    if (this.#waiting.length > 0) return false;
    if (this.#holders.size === 0) return true;
    return shared && [...this.#holders].every((holder) => holder.shared);
  }

  enter(ticket: Ticket): void {
    if (this.free(ticket.shared)) {
      this.#holders.add(ticket);
      ticket.granted();
    } else this.#waiting.push(ticket);
  }

  /** It has been let go of, or is no longer wanted. */
  leave(ticket: Ticket): void {
    if (!this.#holders.delete(ticket)) this.#waiting = this.#waiting.filter((other) => other !== ticket);
    this.#serve();
  }

  get holders(): number {
    return this.#holders.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  #serve(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    while (waiting.length > 0 && this.free((waiting[0] as Ticket).shared)) {
      const next = waiting.shift() as Ticket;
      this.#holders.add(next);
      next.granted();
    }
    this.#waiting = [...waiting, ...this.#waiting];
  }
}
