/** files.mjs: kinds of arguments: structs of files' calls. What a kind is, says kind.mjs. */
import { own, structOut } from './kind.mjs';

/** @type {Record<string, import('./kind.mjs').Kind>} */
export const files = {
  statOut: {
    native: ['ARG_STRUCT_OUT(144)'],
    format: ['stat'],
    before: () => ['const struct = Buffer.allocUnsafe(144);'],
    values: () => ['struct'],
  },
  statxOut: {
    native: ['ARG_STRUCT_OUT(256)'],
    format: ['statx'],
    before: () => ['const struct = Buffer.allocUnsafe(256);'],
    values: () => ['struct'],
  },
  pairOut: {
    native: ['ARG_STRUCT_OUT(8)'],
    format: ['pair'],
    before: () => ['const struct = Buffer.allocUnsafe(8);'],
    values: () => ['struct'],
  },
  /** struct timespec[2], with 'now' and 'omit' in tv_nsec. */
  timespecsIn: {
    native: ['ARG_STRUCT_IN_NULLABLE(32)'],
    format: ['timespecs'],
    type: 'FileTimes | undefined',
    before: (name) => [`const struct = ${name} === undefined ? null : encodeFileTimes('${name}', ${name});`],
    values: () => ['struct'],
  },
  /** struct timeval[2] */
  timevalsIn: {
    native: ['ARG_STRUCT_IN_NULLABLE(32)'],
    format: ['timevals'],
    type: 'readonly [Timespec | number, Timespec | number] | undefined',
    before: (name) => [`const struct = ${name} === undefined ? null : encodeTimevals('${name}', ${name});`],
    values: () => ['struct'],
  },
  utimbufIn: {
    native: ['ARG_STRUCT_IN_NULLABLE(16)'],
    format: ['utimbuf'],
    type: 'Utimbuf | undefined',
    before: (name) => [`const struct = ${name} === undefined ? null : encodeUtimbuf('${name}', ${name});`],
    values: () => ['struct'],
  },
  /** A position in a file that the kernel reads and moves. */
  offset: {
    native: ['ARG_STRUCT_INOUT_NULLABLE(8)'],
    format: ['offset'],
    type: 'number | bigint | undefined',
    before: (name) => [`const ${name}Struct = encodeOffset('${name}', ${name});`],
    values: (name) => [`${name}Struct`],
  },
  openHowIn: {
    native: ['ARG_STRUCT_IN(24)', 'ARG_LENGTH'],
    format: ['openHow', 'int'],
    type: 'OpenHow',
    before: (name) => [`const struct = encodeOpenHow('${name}', ${name});`],
    values: () => ['struct', 'struct.length'],
  },
  statfsOut: structOut(120, 'statfs'),
  struct32Out: structOut(32, 'struct'),
  cachestatRangeIn: {
    native: ['ARG_STRUCT_IN(16)'],
    format: ['struct'],
    type: 'CachestatRange',
    before: (name) => [`const range16 = encodeCachestatRange('${name}', ${name});`],
    values: () => ['range16'],
  },
  cachestatOut: structOut(40, 'struct'),
  fileHandleOut: {
    native: ['ARG_FILE_HANDLE'],
    format: ['struct'],
    before: () => ['const struct = allocateFileHandle();'],
    values: () => ['struct'],
  },
  fileHandleIn: {
    native: ['ARG_FILE_HANDLE'],
    format: ['struct'],
    type: 'FileHandle',
    before: (name) => [`const struct = encodeFileHandle('${name}', ${name});`],
    values: () => ['struct'],
  },
  // An int, or 64 bits with AT_HANDLE_MNT_ID_UNIQUE (Linux 6.12).
  mountIdOut: {
    native: ['ARG_STRUCT_OUT(8)'],
    format: ['intOut'],
    before: () => ['const mountId = Buffer.alloc(8);'],
    values: () => ['mountId'],
  },
  ioctlArgument: {
    native: ['ARG_IOCTL'],
    format: ['ioctlArgument'],
    type: 'number | NodeJS.ArrayBufferView',
    values: own,
  },
  fcntlArgument: {
    native: ['ARG_FCNTL'],
    format: ['fcntlArgument'],
    type: 'number | NodeJS.ArrayBufferView',
    values: own,
  },
};
