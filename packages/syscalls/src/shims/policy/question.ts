/**
 * question.ts: a call that is held against rules: what it names, found out once, and only if a rule asks; and what could not be.
 *
 * Invariant: the message is a copy in all that is judged, and it is this one that goes on.
 */
import type { SysMsg } from '../../port/sysmsg.ts';
import { type Named, pathsOf, snapshot } from '../paths/index.ts';
import { below } from '../paths/look.ts';
import { type Address, addressesOf } from './addresses.ts';

/** What could not be known of a call. */
export interface Unknown {
  /** The argument's name. */
  argument: string;
  reason: string;
}

/** How a policy looks at names. */
export interface Sight {
  /** Links are followed. */
  readonly follow: boolean;
  /** Why names mean nothing any more. */
  lost: string | undefined;
}

export class Question {
  readonly message: SysMsg;
  /** The first thing that was asked and could not be known. */
  unknown: Unknown | undefined;
  private readonly sight: Sight;
  private user: number | undefined;
  private pathList: Named[] | undefined;
  private addressList: Address[] | undefined;

  /** looks: some rule asks what the call is about. */
  constructor(message: SysMsg, sight: Sight, looks: boolean) {
    this.message = looks ? snapshot(message) : message;
    this.sight = sight;
  }

  /** The effective user id of who makes the call: a program's own. */
  get uid(): number {
    this.user ??= this.message.pid === process.pid ? (process.geteuid?.() as number) : below('geteuid');
    return this.user;
  }

  get paths(): Named[] {
    if (this.pathList === undefined) {
      const { follow, lost } = this.sight;
      const list = pathsOf(this.message, follow);
      this.pathList = this.noting(
        lost === undefined ? list : list.map((each) => ({ unknown: lost, ...each })),
      );
    }
    return this.pathList;
  }

  get addresses(): Address[] {
    this.addressList ??= this.noting(addressesOf(this.message, this.paths));
    return this.addressList;
  }

  private noting<T extends { argument: string; unknown?: string | undefined }>(list: T[]): T[] {
    const one = list.find(({ unknown }) => unknown !== undefined);
    if (one !== undefined) this.unknown ??= { argument: one.argument, reason: one.unknown as string };
    return list;
  }
}
