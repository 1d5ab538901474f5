/** numbers.mjs: kinds of arguments: numbers, and pointers that nobody uses. What a kind is, says kind.mjs. */
import { own } from './kind.mjs';

/** @type {Record<string, import('./kind.mjs').Kind>} */
export const numbers = {
  fd: { native: ['ARG_FD'], format: ['fd'], type: 'number', values: own },
  int: { native: ['ARG_INT'], format: ['int'], type: 'number', values: own },
  /** A user's or a group's id; -1 leaves it as it is. */
  id: { native: ['ARG_INT'], format: ['id'], type: 'number', values: own },
  /** Type and permissions of a file. */
  fileMode: { native: ['ARG_INT'], format: ['fileMode'], type: 'number', values: own },
  device: { native: ['ARG_INT'], format: ['device'], type: 'number', values: own },
  mode: { native: ['ARG_INT'], format: ['octal'], type: 'number', values: own },
  flags: { native: ['ARG_INT'], format: ['flags'], type: 'number', values: own },
  long: { native: ['ARG_LONG'], format: ['int'], type: 'number | bigint', values: own },
  unusedFlags: { native: ['ARG_INT'], format: ['int'], values: () => ['0'] },
  unused: { native: ['ARG_NULL'], format: ['null'], values: () => ['null'] },
  noStruct: { native: ['ARG_NULL'], format: ['null'], values: () => ['null'] },

  /** A signal's number. */
  signal: { native: ['ARG_INT'], format: ['signal'], type: 'number', values: own },
  /** One of the commands that ../requests.mjs allows. */
  choice: { native: ['ARG_CHOICE'], format: ['flags'], type: 'number', values: own },
  /** How many bits the mask before has. */
  bits: { native: ['ARG_BITS'], format: ['int'], type: 'number', values: own },
};
