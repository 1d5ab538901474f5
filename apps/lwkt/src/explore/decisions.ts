/**
 * decisions.ts: the decisions of a run, as the launcher writes them (--schedule-log; packages/posix-compat/native/schedule/decisions.c says what they mean), and
 * sentences of them. Where in the program an instruction is, addr2line knows, if it is there and the program has debug information.
 */
import { execFileSync } from 'node:child_process';

export interface Decision {
  /** As --schedule=seed:N,list: has it. */
  text: string;
  /** An address in the file, or a call's name. */
  where: string;
}

export function readDecisions(log: string): Decision[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [text = '', where = ''] = line.split(' ');
      return { text, where };
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

/** One for each; threads are numbered as they were made, the main one is 1. */
export function sentences(program: string, decisions: Decision[]): string[] {
  const isAddress = ({ where }: Decision) => where.startsWith('0x');
  // what is next there: the one before may have been a call, which is where its function goes on
  const places = placesOf(
    program,
    decisions.filter(isAddress).map(({ where }) => where),
  );
  let next = 0;
  return decisions.map((decision) => sentence(decision, isAddress(decision) ? (places[next++] ?? '') : ''));
}
