/**
 * native-thread.ts: createNative(), userthreads whose function is C, in a library. The native half is native/node/native-thread.cc; what such a library
 * looks like, native/include/lwkt_client.h.
 *
 * Invariant: an address in `entries` is that of a library's lwkt_native_entry, which stays loaded.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { isUrl } from '../errors/brands.ts';
import { invalidType, outOfRange } from '../errors/errors.ts';
import { type NativeArg, native } from '../node/native.ts';
import { type CreateOptions, checkOptions, enroll, nextId } from './scheduler.ts';
import { stackDefault } from './stack-size.ts';
import { PRIORITY_DEFAULT, UserThread } from './userthread.ts';

/** Where the C function is. */
export interface NativeSymbol {
  /** The shared library, an addon (.node) perhaps: a file: URL, or a path, which is looked for from the working directory. */
  library: string | URL;
  /** The name that the library gives to LWKT_NATIVE (lwkt_client.h). */
  symbol: string;
}

export interface CreateNativeOptions extends Omit<CreateOptions, 'syscallPort' | 'stackSize' | 'name'> {
  /** Shown in errors, lists and reports; the symbol if absent. The native side cuts it at 31 bytes. */
  name?: string | undefined;
  /** Bytes of stack, 65,536 to 67,108,864, rounded up to a power of two; if absent what LIBCR_STACK_SIZE says, or 262,144. Committed as it is used. */
  stackSize?: number | undefined;
  /**
   * What the function finds in native->arg. A bigint, -2^63 to 2^64-1: an integer or an address. A buffer: where its bytes are (native->size of
   * them), not a copy; they stay there until the function returns, whatever becomes of the buffer. None that can be resized.
   */
  arg?: NativeArg;
}

/** No JavaScript is compiled on it. LWKT_STACK_MIN is less, but an addon calls C libraries. */
const STACK_MIN = 64 * 1024;

const entries = new Map<string, bigint>();

function entryOf(library: string | URL, symbol: string): bigint {
  const path = isUrl(library) ? fileURLToPath(library) : resolve(library);
  const key = `${path}\0${symbol}`;
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = native.findNative(path, symbol);
    entries.set(key, entry);
  }
  return entry;
}

function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  if (value === '' || value.includes('\0')) throw outOfRange(name, 'neither empty nor have NUL in it', value);
}

function checkArg(arg: unknown): void {
  if (arg === undefined) return;
  if (typeof arg === 'bigint') {
    if (arg < -(2n ** 63n) || arg >= 2n ** 64n)
      throw outOfRange('options.arg', '>= -2n ** 63n and < 2n ** 64n', arg);
    return;
  }
  const buffer = ArrayBuffer.isView(arg) ? arg.buffer : arg;
  if (!types.isAnyArrayBuffer(buffer))
    throw invalidType(
      'options.arg',
      'of type bigint or an instance of ArrayBuffer, SharedArrayBuffer, Buffer or DataView',
      arg,
    );
  const { resizable, growable } = buffer as { resizable?: boolean; growable?: boolean };
  if (resizable || growable) throw invalidType('options.arg', 'a buffer that cannot be resized', arg);
}

/** createNative(), of a thread that begins as soon as it can, or when it is woken (nostart). */
export function createNativeThread(
  symbol: NativeSymbol,
  options: CreateNativeOptions,
  nostart: boolean,
): UserThread<bigint> {
  if (typeof symbol !== 'object' || symbol === null) throw invalidType('symbol', 'of type object', symbol);
  if (!isUrl(symbol.library)) checkText('symbol.library', symbol.library);
  checkText('symbol.symbol', symbol.symbol);
  checkOptions(options, STACK_MIN);
  checkArg(options.arg);
  const entry = entryOf(symbol.library, symbol.symbol);
  const td = new UserThread<unknown>(
    nextId(),
    options.name ?? symbol.symbol,
    undefined,
    options.priority ?? PRIORITY_DEFAULT,
  );
  td.symbol = symbol.symbol;
  const slot = native.createNative(
    entry,
    td.pri,
    options.stackSize ?? stackDefault(),
    td.name,
    options.arg,
    nostart,
  );
  enroll(td, slot, options);
  return td as UserThread<bigint>;
}

/**
 * Create a userthread that runs a C function of a library, `int f(struct lwkt_native *native)`, on this JavaScript CPU's kernel thread and by its
 * run queue; see lwkt_client.h. It begins when the event loop or the running userthread next gives way. While it runs nothing else does, so it
 * has to block or yield (lwkt_*) now and then; errno and C++ exceptions are its own. Its outcome (join(), finished) is native->result as a bigint where it
 * answers 0, else a system error with errno, code and the symbol as syscall. Loading the library, the first time, blocks the kernel thread and
 * runs its constructors.
 *
 * Never blocks otherwise. Throws TypeError and RangeError for bad arguments, ERR_DLOPEN_FAILED, ERR_LWKT_NO_SYMBOL, ERR_LWKT_VERSION, and
 * ERR_LWKT_NO_STACK when the environment is ending. (DragonFly: lwkt_create)
 */
export function createNative(symbol: NativeSymbol, options: CreateNativeOptions = {}): UserThread<bigint> {
  return createNativeThread(symbol, options, false);
}
