/**
 * kinds.mjs: what an argument of a system call can be. Each kind says how it is marshalled (native/table.h's enum), how it looks in
 * TypeScript, and which kernel arguments one TypeScript argument becomes.
 *
 * Not here: the calls (calls.mjs) and the shape of the generated files (generate.mjs).
 */

/**
 * @typedef {object} Kind
 * @property {string[]} native the kernel arguments it stands for, as constants of enum arg_kind
 * @property {string[]} [format] how strace shows each of them; see src/shims/format/
 * @property {string} [type] TypeScript type of the exposed argument; absent: nothing is exposed
 * @property {(name: string, row: object, arg: object) => string[]} [before] statements before the call
 * @property {(name: string, arg: object) => string[]} values the expressions of the kernel arguments
 */

const own = (name) => [name];

/** A struct of a fixed size that the kernel fills; at most one in a call. */
const structOut = (size, format) => ({
  native: [`ARG_STRUCT_OUT(${size})`],
  format: [format],
  before: () => [`const struct = Buffer.alloc(${size});`],
  values: () => ['struct'],
});

/** @type {Record<string, Kind>} */
export const kinds = {
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
  timespecIn: {
    native: ['ARG_STRUCT_IN(16)'],
    format: ['timespec'],
    type: 'Timespec | number',
    before: (name) => [`const struct = encodeTimespec('${name}', ${name});`],
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
  unusedFlags: { native: ['ARG_INT'], format: ['int'], values: () => ['0'] },
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
  mountIdOut: {
    native: ['ARG_STRUCT_OUT(4)'],
    format: ['intOut'],
    before: () => ['const mountId = Buffer.alloc(4);'],
    values: () => ['mountId'],
  },
  /** Room for an answer of an unknown size; the caller says how much. */
  bytesOut: {
    native: ['ARG_OUT', 'ARG_LENGTH'],
    format: ['dataOut', 'int'],
    type: 'number',
    before: (name) => [`const bytes = allocateBytes('${name}', ${name});`],
    values: (name) => ['bytes', name],
  },
  ioctlArgument: {
    native: ['ARG_IOCTL'],
    format: ['ioctlArgument'],
    type: 'number | NodeJS.ArrayBufferView',
    values: own,
  },
  unused: { native: ['ARG_NULL'], format: ['null'], values: () => ['null'] },
  noStruct: { native: ['ARG_NULL'], format: ['null'], values: () => ['null'] },
  sockaddrIn: {
    native: ['ARG_IN', 'ARG_LENGTH'],
    format: ['sockaddr', 'int'],
    type: 'SockAddr',
    before: (name) => [`const sockaddr = encodeSockaddr('${name}', ${name});`],
    values: () => ['sockaddr', 'sockaddr.length'],
  },
  sockaddrInOptional: {
    native: ['ARG_IN_NULLABLE', 'ARG_LENGTH'],
    format: ['sockaddr', 'int'],
    type: 'SockAddr | undefined',
    before: (name) => [`const sockaddr = ${name} === undefined ? null : encodeSockaddr('${name}', ${name});`],
    values: () => ['sockaddr', 'sockaddr === null ? 0 : sockaddr.length'],
  },
  sockaddrOut: {
    native: ['ARG_OUT_NULLABLE', 'ARG_LENGTH_POINTER'],
    format: ['sockaddr', 'intPointer'],
    before: () => ['const sockaddr = Buffer.alloc(SOCKADDR_SIZE);', 'const socklen = sockaddrLength();'],
    values: () => ['sockaddr', 'socklen'],
  },
  optionIn: {
    native: ['ARG_IN', 'ARG_LENGTH'],
    format: ['dataIn', 'int'],
    type: 'NodeJS.ArrayBufferView | number',
    before: (name) => [`const option = encodeOption(${name});`],
    values: () => ['option', 'byteLength(option)'],
  },
  fcntlArgument: {
    native: ['ARG_FCNTL'],
    format: ['fcntlArgument'],
    type: 'number | NodeJS.ArrayBufferView',
    values: own,
  },
  epollEventIn: {
    native: ['ARG_STRUCT_IN_NULLABLE(12)'],
    format: ['epollEvent'],
    type: 'EpollEvent | undefined',
    before: (name) => [`const struct = ${name} === undefined ? null : encodeEpollEvent('${name}', ${name});`],
    values: () => ['struct'],
  },
  epollEventsOut: {
    native: ['ARG_OUT', 'ARG_COUNT(12)'],
    format: ['epollEvents', 'int'],
    type: 'number',
    before: (name) => [`const struct = allocateEpollEvents('${name}', ${name});`],
    values: (name) => ['struct', name],
  },
  pollfds: {
    native: ['ARG_INOUT', 'ARG_COUNT(8)'],
    format: ['pollfds', 'int'],
    type: 'PollFd[]',
    before: (name) => [`const struct = encodePollFds('${name}', ${name});`],
    values: (name) => ['struct', `${name}.length`],
  },
};

/** What a call's answer (>= 0) becomes. */
export const results = {
  number: { type: 'number', value: 'r' },
  nothing: { type: 'void', value: '' },
  stat: { type: 'Stat', value: 'decodeStat(struct)' },
  statx: { type: 'Statx', value: 'decodeStatx(struct)' },
  pair: { type: '[number, number]', value: '[struct.readInt32LE(0), struct.readInt32LE(4)]' },
  link: { type: 'string | Buffer', value: 'decodeText(target, r, encoding)' },
  cwd: { type: 'string | Buffer', value: 'decodeText(target, Math.max(0, r - 1), encoding)' },
  statfs: { type: 'Statfs', value: 'decodeStatfs(struct)' },
  cachestat: { type: 'Cachestat', value: 'decodeCachestat(struct)' },
  fileHandle: { type: 'MountedFileHandle', value: 'decodeFileHandle(struct, mountId)' },
  bytes: { type: 'Buffer', value: 'Buffer.from(bytes.subarray(0, r))' },
  names: { type: 'string[]', value: 'decodeNames(bytes, r)' },
  dirents: { type: 'Dirent[]', value: 'decodeDirents(buffer, r, encoding)' },
  accepted: { type: 'Accepted', value: '{ fd: r, address: decodeSockaddr(sockaddr, socklen) }' },
  received: { type: 'Received', value: '{ length: r, address: decodeSockaddr(sockaddr, socklen) }' },
  address: { type: 'SockAddr | undefined', value: 'decodeSockaddr(sockaddr, socklen)' },
  epollEvents: { type: 'EpollEvent[]', value: 'decodeEpollEvents(struct, r)' },
  pollfds: { type: 'number', value: 'decodePollFds(struct, fds, r)' },
};
