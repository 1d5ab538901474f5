/**
 * tracks.ts: what each userthread of a recording did, and which userthread of this run is which of the recording's.
 *
 * A userthread is known again by its name and its first call; several that are alike, by the order of their first calls. So it does not
 * matter that ids differ, or which of two different threads is first.
 *
 * Invariant: a track belongs to one userthread at most; what it has answered is let go.
 */
import type { UserThread } from '@libcr/core';
import type { EncodedArgument } from '../recording/argument.ts';
import type { CallLine, ClockLine, ClockName } from '../recording/lines.ts';
import type { Recording } from '../recording/read.ts';

/** A call, and its place among those that returned, from 0; -1 for one that did not. */
export interface Event {
  line: CallLine;
  position: number;
}

export class Track {
  readonly name: string;
  private readonly events: (Event | undefined)[] = [];
  private taken = 0;
  private readonly readings = new Map<ClockName, (number | string)[]>();
  /** Of each clock, how many have been answered. */
  private readonly read = new Map<ClockName, number>();

  constructor(name: string) {
    this.name = name;
  }

  add(event: Event): void {
    this.events.push(event);
  }

  addReading({ clock, value }: ClockLine): void {
    const values = this.readings.get(clock);
    if (values === undefined) this.readings.set(clock, [value]);
    else values.push(value);
  }

  /** Its next call; undefined where there is none. */
  get event(): Event | undefined {
    return this.events[this.taken];
  }

  take(): void {
    this.events[this.taken++] = undefined;
  }

  reading(clock: ClockName): number | string | undefined {
    const next = this.read.get(clock) ?? 0;
    this.read.set(clock, next + 1);
    return this.readings.get(clock)?.[next];
  }
}

/** What two first calls, or readings, must have in common. */
export const keyOf = (call: string | number, args: readonly EncodedArgument[]): string =>
  JSON.stringify([call, args]);

export class Tracks {
  /** Those that no userthread has yet, by name and first call. */
  private readonly free = new Map<string, Map<string, Track[]>>();
  private readonly bound = new WeakMap<UserThread, Track>();
  /** How many calls have returned. */
  readonly total: number;

  constructor({ threads, events }: Recording) {
    const all = threads.map(({ name }) => new Track(name));
    const keys: string[] = [];
    let position = 0;
    for (const line of events) {
      const track = all[line.t] as Track;
      if ('clock' in line) {
        track.addReading(line);
        keys[line.t] ??= keyOf(line.clock, []);
      } else {
        track.add({ line, position: line.waits ? -1 : position++ });
        keys[line.t] ??= keyOf(line.call, line.args);
      }
    }
    this.total = position;
    all.forEach((track, i) => {
      const byKey = this.free.get(track.name) ?? new Map<string, Track[]>();
      const key = keys[i] ?? '';
      this.free.set(track.name, byKey);
      const alike = byKey.get(key);
      if (alike === undefined) byKey.set(key, [track]);
      else alike.push(track);
    });
  }

  /** The track of a userthread whose first call, or reading, has this key; undefined where the recording has none. */
  of(td: UserThread, key: () => string): Track | undefined {
    const known = this.bound.get(td);
    if (known !== undefined) return known;
    const track = this.free.get(td.name)?.get(key())?.shift();
    if (track === undefined) return undefined;
    this.bound.set(td, track);
    return track;
  }

  /** The first that has this name and no userthread, for the report; else the first that has none. */
  candidate(name: string): Track | undefined {
    for (const byKey of [this.free.get(name), ...this.free.values()]) {
      const tracks = [...(byKey?.values() ?? [])].flat();
      const firsts = tracks.filter((track) => track.event !== undefined);
      if (firsts.length > 0) return firsts[0];
    }
    return undefined;
  }
}
