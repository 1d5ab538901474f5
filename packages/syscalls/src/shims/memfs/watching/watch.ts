/** watch.ts: a watch on something in the tree, and what it is told of (inotify(7)). */
import { constants as c } from '../../../generated/constants.ts';
import type { Inode } from '../inodes/inode.ts';

/** What is queued for whoever reads: struct inotify_event. */
export interface QueuedEvent {
  readonly watch: number;
  readonly mask: number;
  readonly cookie: number;
  /** A byte string; '' for what is watched itself. */
  readonly name: string;
}

/** Where events go; a notifier is one. */
export interface Sink {
  put(event: QueuedEvent): void;
  /** A watch is over: it is no longer known by its number. */
  forget(watch: Watch): void;
}

/** Self events that say nothing of directories. */
const PLAIN = c.IN_MOVE_SELF | c.IN_DELETE_SELF;

export class Watch {
  readonly number: number;
  readonly inode: Inode;
  private readonly sink: Sink;
  mask: number;

  constructor(number: number, inode: Inode, mask: number, sink: Sink) {
    this.number = number;
    this.inode = inode;
    this.mask = mask;
    this.sink = sink;
    inode.watches = [...(inode.watches ?? []), this];
  }

  /** Something has happened, of which the watch may or may not want to be told. */
  tell(mask: number, name: string, cookie: number): void {
    if ((mask & this.mask & c.IN_ALL_EVENTS) === 0) return;
    const shown = (mask & PLAIN) !== 0 ? mask & ~c.IN_ISDIR : mask;
    this.sink.put({ watch: this.number, mask: shown, cookie, name });
    if ((this.mask & c.IN_ONESHOT) !== 0) this.end();
  }

  /** The last event, and no more. Harmless where it is over already. */
  end(): void {
    const left = this.inode.watches?.filter((watch) => watch !== this);
    if (left === undefined || left.length === this.inode.watches?.length) return;
    this.inode.watches = left.length > 0 ? left : undefined;
    this.sink.forget(this);
    this.sink.put({ watch: this.number, mask: c.IN_IGNORED, cookie: 0, name: '' });
  }

  /** Over without a word: nobody can read it any more. */
  drop(): void {
    this.inode.watches = this.inode.watches?.filter((watch) => watch !== this);
    if (this.inode.watches?.length === 0) this.inode.watches = undefined;
  }
}
