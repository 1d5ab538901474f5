/**
 * storm.ts: how the storm of signals (programs/storm/storm.c) is run: in a directory of its own, where it makes files.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { compile, natively, type Result, type RunOptions, scratch, underLibcr } from '../programs.ts';

const PARTS = ['common', 'data', 'polls', 'locks', 'queues'].map((part) => `storm/${part}`);
export const THREADS = 1000;

export interface Storm {
  seed: string;
  signals: string;
  threads?: number;
}

const argumentsOf = ({ seed, signals, threads = THREADS }: Storm): string[] => [
  seed,
  signals,
  String(threads),
];
const program = () => compile('storm/storm', [], PARTS);
const folder = () => mkdtempSync(join(scratch, 'storm-'));

export function stormNatively(storm: Storm): Promise<Result> {
  return natively(program(), argumentsOf(storm), { cwd: folder() });
}

export function stormUnderLibcr(storm: Storm, options: RunOptions): Promise<Result> {
  return underLibcr(program(), argumentsOf(storm), { ...options, cwd: folder() });
}
