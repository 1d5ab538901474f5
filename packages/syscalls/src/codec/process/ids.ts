/** ids.ts: users and groups (getresuid(2), getgroups(2)). */

export interface Ids {
  real: number;
  effective: number;
  saved: number;
}

export function decodeGroups(struct: Buffer, count: number): number[] {
  return Array.from({ length: Math.min(count, struct.length >> 2) }, (_, i) => struct.readUInt32LE(i * 4));
}
