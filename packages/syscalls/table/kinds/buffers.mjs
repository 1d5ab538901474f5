/** buffers.mjs: kinds of arguments: paths, texts, and memory of any length. What a kind is, says kind.mjs. */
import { own, raw } from './kind.mjs';

/** @type {Record<string, import('./kind.mjs').Kind>} */
export const buffers = {
  path: {
    native: ['ARG_PATH'],
    format: ['path'],
    type: 'Path',
    values: (name) => [`toPath('${name}', ${name})`],
  },
  pathOptional: {
    native: ['ARG_PATH_NULLABLE'],
    format: ['path'],
    type: 'Path | undefined',
    values: (name) => [`${name} === undefined ? null : toPath('${name}', ${name})`],
  },
  /** A string for the kernel that is no path. */
  text: { native: ['ARG_PATH'], format: ['text'], type: 'string | Uint8Array', values: own },
  // A buffer and its length: two exposed arguments, as in C, the second with a default.
  bufferOut: { native: ['ARG_OUT'], format: ['dataOut'], type: 'NodeJS.ArrayBufferView', values: own },
  bufferIn: {
    native: ['ARG_IN'],
    format: ['dataIn'],
    type: 'NodeJS.ArrayBufferView | string',
    before: (name) => [`const bytes = toBytes(${name});`],
    values: () => ['bytes'],
  },
  lengthOut: { native: ['ARG_LENGTH'], format: ['int'], type: 'number', values: own },
  lengthIn: {
    native: ['ARG_LENGTH'],
    format: ['int'],
    type: 'number',
    values: (name) => [`${name} ?? byteLength(bytes)`],
  },
  buffersOut: {
    native: ['ARG_IOV_OUT', 'ARG_IOV_COUNT'],
    format: ['iovOut', 'int'],
    type: 'readonly NodeJS.ArrayBufferView[]',
    before: (name) => [`const list = toBuffers('${name}', ${name});`],
    values: () => ['list', 'list.length'],
  },
  buffersIn: {
    native: ['ARG_IOV_IN', 'ARG_IOV_COUNT'],
    format: ['iovIn', 'int'],
    type: 'readonly NodeJS.ArrayBufferView[]',
    before: (name) => [`const list = toBuffers('${name}', ${name});`],
    values: () => ['list', 'list.length'],
  },
  // A whole buffer in, its length hidden.
  wholeIn: {
    native: ['ARG_IN', 'ARG_LENGTH'],
    format: ['dataIn', 'int'],
    type: 'NodeJS.ArrayBufferView | string',
    before: (name) => [`const bytes = toBytes(${name});`],
    values: () => ['bytes', 'byteLength(bytes)'],
  },
  wholeOut: {
    native: ['ARG_OUT', 'ARG_LENGTH'],
    format: ['dataOut', 'int'],
    type: 'NodeJS.ArrayBufferView',
    values: (name) => [name, `byteLength(${name})`],
  },
  linkOut: {
    native: ['ARG_OUT', 'ARG_LENGTH'],
    format: ['dataOut', 'int'],
    before: () => ['const target = Buffer.allocUnsafe(PATH_MAX);'],
    values: () => ['target', 'PATH_MAX'],
  },
  direntsOut: {
    native: ['ARG_OUT', 'ARG_LENGTH'],
    format: ['dirents', 'int'],
    type: 'NodeJS.ArrayBufferView',
    values: (name) => [name, `byteLength(${name})`],
  },
  /** Room for an answer of an unknown size; the caller says how much. */
  bytesOut: {
    native: ['ARG_OUT', 'ARG_LENGTH'],
    format: ['dataOut', 'int'],
    type: 'number',
    before: (name) => [`const bytes = allocateBytes('${name}', ${name});`],
    values: (name) => ['bytes', name],
  },

  textOptional: {
    native: ['ARG_PATH_NULLABLE'],
    format: ['text'],
    type: 'string | Uint8Array | undefined',
    values: (name) => [`${name} ?? null`],
  },
  // The rest is of raw calls, which have no function of their own.
  dataIn: { native: ['ARG_IN'], format: ['dataIn'], type: 'NodeJS.ArrayBufferView', values: own },
  wholeInOptional: raw('ARG_IN_NULLABLE', 'ARG_LENGTH'),
  wholeOutOptional: raw('ARG_OUT_NULLABLE', 'ARG_LENGTH'),
  /** Bytes after a head of eight. */
  lengthAfter8: { native: ['ARG_LENGTH(8)'], format: ['int'], type: 'number', values: own },
  /** How many bits it has, says the argument after it. */
  maskIn: raw('ARG_IN_NULLABLE'),
  maskOut: raw('ARG_OUT_NULLABLE'),
  /** Memory that is named, but neither read nor written. */
  memory: raw('ARG_IN'),
  /** A byte for each page of the buffer before. */
  pagesOut: raw('ARG_PAGES_OUT'),
  /** Its length is the argument before. */
  dataInCounted: raw('ARG_IN_COUNTED(1)'),
  /** 64 bits each, and how many. */
  idsOut: raw('ARG_OUT', 'ARG_COUNT(8)'),
  lsmOut: raw('ARG_OUT', 'ARG_LENGTH_POINTER'),
};
