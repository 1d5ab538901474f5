/** ready.ts: waiting for a descriptor that does not wait by itself (O_NONBLOCK): what the whole of a file is read from or written to may be one. */
import { curthread } from '@libcr/core';
import { thread0 } from '@libcr/core/internal';
import { encodePollFds } from '../../codec/net/pollfd.ts';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { pause } from '../../pause.ts';
import { send } from '../../port/send.ts';

/** Milliseconds between two looks on the event loop's own stack, which can't wait for a descriptor: at first, and at most. */
const PAUSE_MIN = 1;
const PAUSE_MAX = 32;

/** Whom to ask again and again, until there is something. */
export class Readiness {
  private milliseconds = PAUSE_MIN;
  private readonly fd: number;
  private readonly events: number;

  /** events: POLLIN, POLLOUT. */
  constructor(fd: number, events: number) {
    this.fd = fd;
    this.events = events;
  }

  /** Until it may be ready, or the other end is gone. Blocks the running userthread only; on the event loop's own stack, all. */
  wait(): void {
    if (curthread() === thread0) {
      pause(this.milliseconds);
      this.milliseconds = Math.min(PAUSE_MAX, this.milliseconds * 2);
      return;
    }
    const reply = send(c.SYS_poll, encodePollFds('fds', [{ fd: this.fd, events: this.events }]), 1, -1);
    if (reply < 0 && reply !== -c.EINTR) throw failure(reply, 'poll');
  }
}
