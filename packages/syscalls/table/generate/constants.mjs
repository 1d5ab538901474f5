/** constants.mjs: src/generated/constants.ts: the names of Linux' headers. */
import { others, sets } from '../constants.mjs';
import { errnoAliases, errnos } from '../errno.mjs';
import { calls, notice, number } from './table.mjs';

export function constantsFile() {
  const seen = new Set();
  const line = ([name, value]) => {
    if (seen.has(name)) return '';
    seen.add(name);
    return `  ${name}: ${number(value)},\n`;
  };
  const part = (title, entries) => `  // ${title}\n${entries.map(line).join('')}`;
  const text = [
    part(
      'numbers of the system calls',
      calls.map((row) => [`SYS_${row.name}`, row.number]),
    ),
    part(
      'errno.h',
      [...errnos, ...errnoAliases].map(([name, value]) => [name, value]),
    ),
    ...Object.values(sets).map(({ header, values }) => part(header, Object.entries(values))),
    ...Object.entries(others).map(([header, values]) => part(header, Object.entries(values))),
  ].join('');
  return `/** constants.ts: names of Linux' headers, as on x86-64. ${notice} */
export const constants = {
${text}} as const;
`;
}
