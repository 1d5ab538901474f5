/**
 * decisions.ts: the decisions of a run, as the launcher writes them (--schedule-log; packages/posix-compat/native/schedule/decisions.c says what they mean), and
 * sentences of them. Where in the program an instruction is, addr2line knows, if it is there and the program has debug information.
 */
import { execFileSync } from 'node:child_process';

export interface Decision {
  /** As --schedule=seed:N,list: has it. */
  text: string;
  /** An address in the program's file, a library's path and an address in that (LIBRARY+0x…), or a call's name. */
  where: string;
}

export function readDecisions(log: string): Decision[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const end = line.indexOf(' ');
      return end < 0 ? { text: line, where: '' } : { text: line.slice(0, end), where: line.slice(end + 1) };
    });
}

/** Function and line for each address of the program's; '' where they are not known. */
function placesOf(program: string, addresses: string[]): string[] {
  if (addresses.length === 0) return [];
  try {
    const lines = execFileSync('addr2line', ['-Csfe', program, ...addresses], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).split('\n');
    return addresses.map((_, i) => {
      const [name = '??', line = '??:0'] = lines.slice(2 * i);
      if (name === '??') return '';
      return line.startsWith('??') ? name : `${name}, ${line.replace(/ \(discriminator \d+\)$/, '')}`;
    });
  } catch {
    return addresses.map(() => '');
  }
}

const DECISION = /^(?:(\d+)@)?(\d+)\.(\d+)(?:([+:])(\d+)(?:\/(\d+))?)?=(\d+|time)$/;

function sentence({ text, where }: Decision, place: string): string {
  const [, child, thread, , mark, n, pages, next] = DECISION.exec(text) ?? [];
  const who = `thread ${thread}${child === undefined ? '' : ` of process ${child}`}`;
  const then =
    next === 'time' ? 'time moves to the first timer' : next === '0' ? 'one that ends' : `thread ${next}`;
  if (mark === '+')
    return `${who} is interrupted at ${where}${place === '' ? '' : ` (${place})`}, after ${n} instructions${pages === undefined ? '' : ` and ${pages} pages of code`}: ${then}`;
  return mark === ':' ? `${who} waits in ${where}: ${then}` : `${who} is about to call ${where}: ${then}`;
}

/** An address, and the file it is in: '' for the program's. */
const ADDRESS = /^(?:(\/.*)\+)?(0x[0-9a-f]+)$/;

/** One for each; threads are numbered as they were made, the main one is 1. */
export function sentences(program: string, decisions: Decision[]): string[] {
  const addresses = new Map<string, Set<string>>();
  for (const { where } of decisions) {
    const [, file = '', address] = ADDRESS.exec(where) ?? [];
    if (address !== undefined) addresses.set(file, (addresses.get(file) ?? new Set()).add(address));
  }
  // what is next there: the one before may have been a call, which is where its function goes on
  const places = new Map<string, string>();
  for (const [file, some] of addresses) {
    const list = [...some];
    placesOf(file === '' ? program : file, list).forEach((place, i) => {
      places.set(file === '' ? (list[i] as string) : `${file}+${list[i]}`, place);
    });
  }
  return decisions.map((decision) => sentence(decision, places.get(decision.where) ?? ''));
}
