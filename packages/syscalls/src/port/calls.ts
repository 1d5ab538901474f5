/** calls.ts: the table's rows by number and by name. */
import { type CallName, families, type Row, rows } from '../generated/rows.ts';

export { families };

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

const familyOf = new Map<string, readonly CallName[]>();
for (const family of families) for (const name of family) familyOf.set(name, family);

/** The numbers that a name chooses: its own and its family's; undefined for a name that is no call's. */
export function numbersOf(name: string): number[] | undefined {
  const numbers = (familyOf.get(name) ?? [name]).map((member) => byName.get(member)?.number);
  return numbers.includes(undefined) ? undefined : (numbers as number[]);
}
