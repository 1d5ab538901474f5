/**
 * row-text.ts: the table's rows out of their text (generated/rows.ts), which costs whoever imports this package less than objects would.
 *
 * Invariant: a row's arguments are made when they are first asked for, and stay the same objects.
 */
import type { Argument, CallName, Row } from '../generated/rows.ts';

class TextRow implements Row {
  readonly name: CallName;
  readonly number: number;
  readonly level: Row['level'];
  readonly block: Row['block'];
  declare readonly ring?: string;
  #args: string | readonly Argument[];

  /** line: name, number, level, block, operation of io_uring or "-", the arguments as JSON. */
  constructor(line: string) {
    const [name, number, level, block, ring] = line.split(' ', 5) as [
      CallName,
      string,
      Row['level'],
      Row['block'],
      string,
    ];
    this.name = name;
    this.number = Number(number);
    this.level = level;
    this.block = block;
    if (ring !== '-') this.ring = ring;
    this.#args = line.slice(name.length + number.length + level.length + block.length + ring.length + 5);
  }

  get args(): readonly Argument[] {
    if (typeof this.#args === 'string') this.#args = JSON.parse(this.#args) as Argument[];
    return this.#args;
  }
}

/** A row for each line of text; the first and the last line are empty. */
export function readRows(text: string): Row[] {
  return text
    .split('\n')
    .slice(1, -1)
    .map((line) => new TextRow(line));
}
