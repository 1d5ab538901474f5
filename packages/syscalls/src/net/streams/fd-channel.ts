/**
 * fd-channel.ts: a descriptor as a channel: a socket, a pipe, a terminal, a file. All it does are system calls through the port.
 *
 * Descriptors may be in blocking mode (then the port does the waiting) or not (then it is asked by poll). A socket is written to with
 * MSG_NOSIGNAL: a peer that has gone is EPIPE, and never SIGPIPE.
 */
import { failure } from '../../failure.ts';
import { constants } from '../../generated/constants.ts';
import { sys } from '../../index.ts';
import { send } from '../../port/send.ts';
import { socketError } from '../sockets/socket-error.ts';
import { type Channel, moved } from './channel.ts';

const { MSG_NOSIGNAL, POLLIN, POLLOUT, SHUT_WR, SYS_recvfrom } = constants;

/** sys.recvfrom() without asking for the sender, which a connection has only one of. (recv(2)) */
function receive(fd: number, target: Uint8Array): number {
  const r = send(SYS_recvfrom, fd, target, target.byteLength, 0, null, null);
  if (r < 0) throw failure(r, 'recvfrom');
  return r;
}

export class FdChannel implements Channel {
  readonly fd: number;
  private readonly socket: boolean;

  constructor(fd: number, socket: boolean) {
    this.fd = fd;
    this.socket = socket;
  }

  read(target: Uint8Array): number {
    return this.retry('read', POLLIN, () =>
      this.socket ? receive(this.fd, target) : sys.read(this.fd, target),
    );
  }

  write(data: Uint8Array): void {
    let done = 0;
    try {
      while (done < data.byteLength) {
        const rest = done === 0 ? data : data.subarray(done);
        done += this.retry('write', POLLOUT, () =>
          this.socket ? sys.sendto(this.fd, rest, MSG_NOSIGNAL) : sys.write(this.fd, rest),
        );
      }
    } catch (error) {
      done += moved(error);
      if (done > 0) (error as { bytesTransferred?: number }).bytesTransferred = done;
      throw error;
    }
  }

  flush(): void {
    // the kernel has it
  }

  endWriting(): void {
    try {
      sys.shutdown(this.fd, SHUT_WR);
    } catch (error) {
      // ENOTCONN: the peer has gone, and needs to be told nothing
      if ((error as NodeJS.ErrnoException).code !== 'ENOTCONN')
        throw this.socket ? socketError(error, 'shutdown') : error;
    }
  }

  close(): void {
    sys.close(this.fd);
  }

  /** Makes a call, again when a descriptor in non-blocking mode is ready for it. */
  private retry<R>(name: string, events: number, call: () => R): R {
    for (;;) {
      try {
        return call();
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EAGAIN' && code !== 'EINTR') throw this.socket ? socketError(error, name) : error;
      }
      sys.poll([{ fd: this.fd, events }]);
    }
  }
}
