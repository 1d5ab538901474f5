/** cpus.ts: cpu_set_t, as an array of processors (sched_setaffinity(2)). */
import { invalidType } from '@libcr/core/internal';
import { integer } from '../integer.ts';

/** Bytes: the 8,192 processors that a kernel can have. */
export const CPUSET_SIZE = 1024;

export function encodeCpus(name: string, cpus: readonly number[]): Buffer {
  if (!Array.isArray(cpus)) throw invalidType(name, 'an array of processors', cpus);
  const bits = Buffer.alloc(CPUSET_SIZE);
  cpus.forEach((cpu, i) => {
    integer(`${name}[${i}]`, cpu, 0, CPUSET_SIZE * 8 - 1);
    bits[cpu >> 3] = (bits[cpu >> 3] as number) | (1 << (cpu & 7));
  });
  return bits;
}

/** length: the bytes that the kernel has written. */
export function decodeCpus(bits: Buffer, length: number): number[] {
  const cpus: number[] = [];
  for (let cpu = 0; cpu < Math.min(length, bits.length) * 8; cpu++)
    if (((bits[cpu >> 3] as number) >> (cpu & 7)) & 1) cpus.push(cpu);
  return cpus;
}
