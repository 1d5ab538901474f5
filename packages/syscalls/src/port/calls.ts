/** calls.ts: the table's rows by number and by name. */
import { type CallName, type Row, rows } from '../generated/rows.ts';

/** Numbers go up to here. */
export const CALL_COUNT: number = Math.max(...rows.map((row) => row.number)) + 1;

const byNumber: (Row | undefined)[] = [];
const byName = new Map<string, Row>();
for (const row of rows) {
  byNumber[row.number] = row;
  byName.set(row.name, row);
}

export function rowOf(number: number): Row | undefined {
  return byNumber[number];
}

export function rowNamed(name: string): Row | undefined {
  return byName.get(name);
}

/** Whether a call may block: 1 or 0 by number. */
export const mayBlock: Uint8Array = new Uint8Array(CALL_COUNT);
for (const row of rows) mayBlock[row.number] = row.block === 'never' ? 0 : 1;

/** Calls that do the same thing to the same objects: a shim that asks for one gets the others too. */
const families: readonly (readonly CallName[])[] = [['open', 'openat']];

/** The numbers that a list of names chooses; undefined for a name that is no call's. */
export function numbersOf(name: string): number[] | undefined {
  const family = families.find((names) => (names as readonly string[]).includes(name));
  const numbers = (family ?? [name]).map((member) => byName.get(member)?.number);
  return numbers.includes(undefined) ? undefined : (numbers as number[]);
}
