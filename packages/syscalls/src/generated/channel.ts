/**
 * channel.ts: the memory by which programs' calls come: the numbers of its protocol and where what is, as native/program/script/channel.h and rows.h have them. Generated
 * by table/generate.mjs from those: do not edit.
 */
export const CHANNEL_MAGIC = 829580140;
export const CALLS = 512;
export const SLOTS = 4096;
export const SLOTS_AT = 32768;
export const SLOT_SIZE = 131072;
export const SLOT_DATA = 1024;
export const SLOT_ROOM = 130048;
export const CHANNEL_ROWS_AT = 536903680;
export const CHANNEL_ROWS_SIZE = 2097152;
export const CHANNEL_SIZE = 539000832;
export const ARGUMENTS = 6;
export const NAME_SIZE = 16;
export const PARTS = 8192;
export const WANTS_CALL = 1;
export const WANTS_TRACE = 4;
export const WANTS_ROWS = 2;
export const GONE_KILL = 0;
export const GONE_DETACH = 1;
export const FLAG_IN = 1;
export const FLAG_OUT = 2;
export const FLAG_CHANGED = 4;
export const FLAG_SHORT = 8;
export const ROWS_FLIGHTS = 4096;
export const ROWS_FREE = 131072;
export const ROWS_LIST = 64;
export const ROWS_LEAVING = 16;
export const ROWS_ERRORS = 140;
export const ROWS_RESTART = 512;
export const ROWS_RESTARTS = 134;
export const ROWS_ASK = 1;
export const ROWS_PATHS = 1;
export const ROW_ALLOWS = 1;
export const ROW_AFTER = 2;
export const ROW_ALL_PATHS = 4;
export const GLOB_STAR = 1;
export const GLOB_NAMES = 2;
export const GLOB_ONE = 3;
export const SLOT_FREE = 0;
export const SLOT_TAKEN = 1;
export const SLOT_POSTED = 2;
export const SLOT_ASLEEP = 3;
export const SLOT_ANSWER = 4;
export const EVENT_CALL = 0;
export const EVENT_RETURN = 1;
export const EVENT_BEGIN = 2;
export const EVENT_FORKED = 3;
export const COMMAND_PASS = 0;
export const COMMAND_DONE = 1;
export const COMMAND_CALL = 2;
export const KIND_NUMBER = 0;
export const KIND_PATH = 1;
export const KIND_BUFFER = 2;
export const KIND_BUFFERS = 3;
export const KIND_MESSAGE = 4;
export const KIND_NULL = 5;
export const KIND_MESSAGES = 6;
export const ROW_IS_FAULT = 0;
export const ROW_IS_LATENCY = 1;
export const ROW_IS_POLICY = 2;
export const ROW_IS_METRICS = 3;

/** struct slot_part. Bytes from its beginning. */
export const PART = {
  at: 0,
  length: 4,
} as const;
export const PART_SIZE = 8;

/** struct slot_argument. Bytes from its beginning. */
export const ARGUMENT = {
  kind: 0,
  flags: 1,
  parts: 2,
  data: 4,
  at: 4,
  length: 8,
} as const;
export const ARGUMENT_SIZE = 12;

/** struct slot_message. Bytes from its beginning. */
export const MESSAGE = {
  name: 0,
  control: 8,
  flags: 16,
  parts: 20,
  length: 24,
  unused: 28,
} as const;
export const MESSAGE_SIZE = 32;

/** struct slot. Bytes from its beginning. */
export const SLOT = {
  state: 0,
  cancel: 4,
  event: 8,
  command: 12,
  pid: 16,
  tid: 20,
  parent: 24,
  ownPid: 28,
  name: 32,
  number: 48,
  args: 56,
  given: 104,
  result: 152,
  used: 160,
  nargs: 164,
  arguments: 168,
  process: 240,
  place: 244,
  rows: 248,
} as const;

/** struct channel. Bytes from its beginning. */
export const CHANNEL = {
  magic: 0,
  supervisor: 4,
  asleep: 8,
  gone: 12,
  spin: 16,
  free: 20,
  waiting: 24,
  namespace: 28,
  wants: 32,
  owners: 544,
  pending: 16928,
  processor: 17440,
  processes: 17444,
  life: 17448,
  lifeInode: 17452,
} as const;

/** struct row_about. Bytes from its beginning. */
export const ROW_ABOUT = {
  fd: 0,
  size: 1,
  npaths: 2,
  unused: 3,
  paths: 4,
  dirfds: 6,
} as const;
export const ROW_ABOUT_SIZE = 8;

/** struct row_list. Bytes from its beginning. */
export const ROW_LIST = {
  flags: 0,
  n: 4,
  rows: 8,
} as const;
export const ROW_LIST_SIZE = 8;

/** struct row. Bytes from its beginning. */
export const ROW = {
  kind: 0,
  flags: 1,
  shim: 2,
  fd: 4,
  globs: 8,
  uids: 12,
} as const;
export const ROW_SIZE = 16;

/** struct row_fault. Bytes from its beginning. */
export const ROW_FAULT = {
  row: 0,
  nth: 16,
  after: 24,
  every: 32,
  times: 40,
  chance: 48,
  delay: 56,
  errno: 64,
  short: 68,
  counts: 72,
  unused: 76,
} as const;
export const ROW_FAULT_SIZE = 80;

/** struct row_latency. Bytes from its beginning. */
export const ROW_LATENCY = {
  row: 0,
  least: 16,
  more: 24,
  counts: 32,
  unused: 36,
} as const;
export const ROW_LATENCY_SIZE = 40;

/** struct row_policy. Bytes from its beginning. */
export const ROW_POLICY = {
  row: 0,
  errno: 16,
  counts: 20,
} as const;
export const ROW_POLICY_SIZE = 24;

/** struct row_counts. Bytes from its beginning. */
export const ROW_COUNTS = {
  matched: 0,
  injected: 8,
  random: 16,
  unused: 20,
} as const;
export const ROW_COUNTS_SIZE = 24;

/** struct row_metrics. Bytes from its beginning. */
export const ROW_METRICS = {
  row: 0,
  bounds: 16,
  nbounds: 20,
  figures: 24,
  moves: 28,
} as const;
export const ROW_METRICS_SIZE = 32;

/** struct row_figures. Bytes from its beginning. */
export const ROW_FIGURES = {
  ok: 0,
  bytes: 8,
  ns: 16,
  errors: 24,
  took: 1144,
} as const;
export const ROW_FIGURES_SIZE = 1144;

/** struct row_flight. Bytes from its beginning. */
export const ROW_FLIGHT = {
  process: 0,
  row: 4,
  began: 8,
} as const;
export const ROW_FLIGHT_SIZE = 16;

/** struct rows. Bytes from its beginning. */
export const ROWS = {
  cycle: 0,
  since: 8,
  trace: 16,
  traceAll: 20,
  traceRefused: 24,
  unused: 28,
  calls: 32,
  about: 4128,
  flights: 8224,
} as const;
