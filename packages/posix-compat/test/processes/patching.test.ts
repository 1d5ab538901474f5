/**
 * patching.test.ts: what libcr changes in a program's code is what it means to change: each place is a whole `mov $number, %eax` with a `syscall` behind, or a `syscall` and whole
 * instructions behind it, as a disassembler sees them, and the trampoline does the same.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { launcherPath } from '../../src/launcher.ts';
import { compile, has, natively, scratch, underLibcr } from '../programs.ts';

interface Instruction {
  address: number;
  /** In hexadecimal digits. */
  bytes: string;
  text: string;
}

/** The instructions of the executable sections of a file, by address. */
function disassemble(path: string): Map<number, Instruction> {
  const text = execFileSync('objdump', ['-d', '--insn-width=16', path], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  const lines = text.matchAll(/^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *\t(.*)$/gm);
  return new Map(
    [...lines].map(([, digits, bytes, instruction]) => {
      const address = Number.parseInt(digits as string, 16);
      return [
        address,
        { address, bytes: (bytes as string).replaceAll(' ', ''), text: (instruction as string).trim() },
      ];
    }),
  );
}

const PREFIXES = /^(?:(?:notrack|bnd|rep[a-z]*|[c-g]s|ss|data16|rex\S*|addr32|lock|xacquire|xrelease) +)*/;
const BRANCH = /^(?:j\w+|loop\w*|xbegin|call)\S* +([0-9a-f]+)\b/;

/** Where a direct branch goes. */
function targetOf({ text }: Instruction): number | undefined {
  const target = BRANCH.exec(text.replace(PREFIXES, ''))?.[1];
  return target === undefined ? undefined : Number.parseInt(target, 16);
}

/** Where the file's bytes at offset are in its own addresses. */
function addressOf(path: string, offset: number): number {
  const headers = execFileSync('readelf', ['-lW', path], { encoding: 'utf8' });
  for (const [, from, address, size] of headers.matchAll(/^ +LOAD +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+)/gm)) {
    const begin = Number.parseInt(from as string, 16);
    if (offset >= begin && offset < begin + Number.parseInt(size as string, 16))
      return offset - begin + Number.parseInt(address as string, 16);
  }
  throw new Error(`nothing is at ${offset} of ${path}`);
}

const little = (number: bigint, size: number) =>
  Buffer.from(number.toString(16).padStart(size * 2, '0'), 'hex')
    .reverse()
    .toString('hex');

/** Four bytes, as hexadecimal digits, which say how far a jump goes. */
const distance = (digits: string) => BigInt(Buffer.from(digits, 'hex').readInt32LE());

/** For programs/patching/decoding.c. */
function recordsOf(path: string): Buffer {
  const instructions = [...disassemble(path).values()];
  const records: Buffer[] = [];
  instructions.forEach((instruction, i) => {
    const text = instruction.text.replace(PREFIXES, '');
    const length = instruction.bytes.length / 2;
    if (
      text === '' ||
      /^rex|\(bad\)/.test(instruction.text) ||
      PREFIXES.exec(`${instruction.text} `)?.[0].trim() === instruction.text
    )
      return; // data
    const code = instructions.slice(i, i + 15).map(({ bytes }) => bytes);
    let kind = '.';
    if (/^(j|loop|xbegin)/.test(text)) kind = 'b';
    else if (text.startsWith('call')) kind = 'c';
    else if (text === 'syscall') kind = 's';
    else if (/\(%[re]ip\)/.test(text)) kind = 'r';
    const record = Buffer.alloc(17, 0x90);
    record.writeUInt8(length, 0);
    record.write(kind, 1);
    Buffer.from(code.join(''), 'hex').copy(record, 2, 0, 15);
    records.push(record);
  });
  return Buffer.concat(records);
}

interface Patched {
  old: string;
  now: string;
  trampoline: string;
  /** In memory. */
  at: bigint;
  to: bigint;
}

interface Place extends Patched {
  instructions: Map<number, Instruction>;
  targets: Set<number>;
  /** In the file's own addresses. */
  address: number;
}

interface PlaceInFile extends Patched {
  path: string;
  offset: number;
}

function checkBefore({ instructions, address, old, now, trampoline, at }: Place) {
  const number = old.slice(2, 10);
  expect(instructions.get(address)).toMatchObject({
    bytes: `b8${number}`,
    text: expect.stringMatching(/^mov +\$0x[0-9a-f]+,%eax$/),
  });
  expect(instructions.get(address + 5)).toMatchObject({ bytes: '0f05' });
  expect(now).toMatch(/^e9.{8}0f05$/);
  expect(trampoline).toMatch(`b8${number}48b9${little(at + 7n, 8)}ff25`);
}

function checkBehind({ instructions, targets, address, old, now, trampoline, at, to }: Place) {
  expect(instructions.get(address)).toMatchObject({ bytes: '0f05', text: 'syscall' });
  expect(now).toMatch(/^e9/);
  expect(trampoline.slice(0, 32)).toMatch(new RegExp(`^48b9${little(to + 16n, 8)}ff25.{8}$`));
  let from = address + 2;
  let tail = 16; // where it is in the trampoline
  let ended = false;
  while (from < address + 5 && !ended) {
    const instruction = instructions.get(from) as Instruction;
    expect(instruction.text).not.toMatch(/%rip|%eip|call|syscall|loop|jrcxz|jecxz|\(bad\)/);
    const target = targetOf(instruction);
    let expected = instruction.bytes;
    if (target !== undefined) {
      const conditional = !instruction.text.startsWith('jmp');
      const condition = instruction.bytes.startsWith('0f') ? instruction.bytes[3] : instruction.bytes[1];
      const size = conditional ? 6 : 5;
      const goes =
        to + BigInt(tail + size) + distance(trampoline.slice((tail + size - 4) * 2, (tail + size) * 2));
      expect(goes - at).toBe(BigInt(target - address));
      expected =
        (conditional ? `0f8${condition}` : 'e9') + trampoline.slice((tail + size - 4) * 2, (tail + size) * 2);
    }
    expect(trampoline.slice(tail * 2, tail * 2 + expected.length)).toBe(expected);
    from += instruction.bytes.length / 2;
    tail += expected.length / 2;
    ended = /^(jmp|ret)/.test(instruction.text);
  }
  // Behind a jump or a return may be other code, which is the jump's last bytes.
  const written =
    ended && old.slice((from - address) * 2, 10) === now.slice((from - address) * 2, 10) ? from - address : 5;
  for (let byte = 1; byte < written; byte++) expect(targets).not.toContain(address + byte);
  if (ended) return;
  expect(trampoline.slice(tail * 2, tail * 2 + 2)).toBe('e9');
  expect(to + BigInt(tail + 5) + distance(trampoline.slice(tail * 2 + 2, tail * 2 + 10)) - at).toBe(
    BigInt(from - address),
  );
}

/** How many of each kind there were. */
function checkAll(places: PlaceInFile[]): { before: number; behind: number } {
  const files = new Map<string, Pick<Place, 'instructions' | 'targets'>>();
  const kinds = { before: 0, behind: 0 };
  for (const { path, offset, ...place } of places) {
    if (!files.has(path)) {
      const instructions = disassemble(path);
      const targets = [...instructions.values()].map(targetOf).filter((target) => target !== undefined);
      files.set(path, { instructions, targets: new Set(targets) });
    }
    const file = files.get(path) as Pick<Place, 'instructions' | 'targets'>;
    const kind = place.old.startsWith('0f05') ? 'behind' : 'before';
    kinds[kind]++;
    const whole = { ...file, ...place, address: addressOf(path, offset) };
    if (kind === 'behind') checkBehind(whole);
    else checkBefore(whole);
  }
  return kinds;
}

/** Bytes of a process' memory, or of a file. */
function bytesAt(fd: number, position: bigint | number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  return bytes.subarray(0, readSync(fd, bytes, 0, size, position));
}

/** Where the code of a process, which stands still, is not what is in its files, seen from outside. */
function placesOf(pid: number): PlaceInFile[] {
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const places: PlaceInFile[] = [];
  for (const [, from, to, offset, path] of maps.matchAll(
    /^(\w+)-(\w+) r-xp (\w+) \S+ [1-9]\d* +(\/.*)$/gm,
  ) as Iterable<[string, string, string, string, string]>) {
    if (path === launcherPath()) continue;
    const begin = BigInt(`0x${from}`);
    const start = Number.parseInt(offset, 16);
    const now = bytesAt(memory, begin, Number(BigInt(`0x${to}`) - begin));
    const file = openSync(path, 'r');
    const old = bytesAt(file, start, now.length);
    closeSync(file);
    for (let i = 0; i < old.length; i++) {
      if (now[i] === old[i]) continue;
      const at = begin + BigInt(i);
      const target = at + 5n + BigInt(now.readInt32LE(i + 1));
      places.push({
        ...{ path, offset: start + i, at, to: target },
        old: old.toString('hex', i, i + 7),
        now: now.toString('hex', i, i + 7),
        trampoline: bytesAt(memory, target, 64).toString('hex'),
      });
      i += 4;
    }
  }
  closeSync(memory);
  return places;
}

/** The places of a program that has written `ready` and waits for the end of its input. */
async function patchedIn(program: string, args: string[], rforks: number): Promise<PlaceInFile[]> {
  const child = spawn(launcherPath(), [`--rforks=${rforks}`, '--', program, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let output = '';
  for await (const piece of child.stdout) {
    output += piece;
    if (output.endsWith('ready\n')) break;
  }
  expect(output).toMatch(/ready\n$/);
  const places = placesOf(child.pid as number);
  child.stdin.end();
  expect(await closed).toEqual([0, null]);
  return places;
}

if (!has('objdump')) console.warn('There is no objdump: what is patched is not compared with what it sees.');

describe.skipIf(!has('objdump'))('each place that was patched, disassembled', () => {
  test.each([
    ['a dynamic program', []],
    ['a static one', ['-static', '-no-pie']],
  ])('of %s', async (_, flags) => {
    const program = compile('patching/patched', flags);
    expect((await natively(program)).stdout).toBe('');
    const { stdout, status } = await underLibcr(program);
    expect(status).toBe(0);
    const places = stdout
      .trim()
      .split('\n')
      .map((line) => {
        const [path, offset, old, now, trampoline, at, to] = line.split(' ') as [
          ...[string, string, string, string, string],
          ...[string, string],
        ];
        return {
          ...{ path, offset: Number.parseInt(offset, 16), old, now, trampoline },
          ...{ at: BigInt(`0x${at}`), to: BigInt(`0x${to}`) },
        };
      });
    const kinds = checkAll(places);
    expect(kinds.before).toBeGreaterThan(30);
    // Without a table of its functions nothing is certain: gcc's static programs have none.
    expect(kinds.behind > 5).toBe(
      execFileSync('readelf', ['-lW', program], { encoding: 'utf8' }).includes('GNU_EH_FRAME'),
    );
  });
});

const pythonScript = `
import threading, os, sys, time, select, ctypes, decimal, ssl, sqlite3, bz2, lzma, uuid, asyncio
def work():
    for _ in range(300):
        lock.acquire(); lock.release(); os.getppid(); os.stat('/'); time.sleep(0); os.write(pipe[1], b'x'); os.read(pipe[0], 1); select.select([], [], [], 0)
lock, pipe = threading.Lock(), os.pipe()
for _ in range(40):
    threads = [threading.Thread(target=work if _ < 2 else lock.locked) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print('ready', flush=True)
sys.stdin.read()
`;

const goProgram = `package main
import ("fmt"; "io"; "os"; "runtime"; "sync"; "time")
func main() {
	r, w, _ := os.Pipe(); var group sync.WaitGroup
	for i := 0; i < 8; i++ { group.Add(1); go func() { defer group.Done(); b := make([]byte, 1)
		for n := 0; n < 200; n++ { w.Write(b); r.Read(b); os.Stat("/"); os.Getppid(); time.Sleep(time.Microsecond); runtime.Gosched() } }() }
	group.Wait(); for i := 0; i < 20; i++ { runtime.GC(); b := make([]byte, 1 << 22); b[i] = 1 }
	fmt.Println("ready"); io.Copy(io.Discard, os.Stdin)
}
`;

/** What is patched in programs of other kinds: seen from outside, while they wait. */
describe.skipIf(!has('objdump'))('each place that was patched, seen from outside', () => {
  test('of a static program with musl', async ({ skip }) => {
    if (!has('musl-gcc')) skip('not installed: musl-gcc');
    const program = join(scratch, 'patched-musl');
    const source = fileURLToPath(new URL('../programs/patching/patched.c', import.meta.url));
    execFileSync('musl-gcc', ['-O1', '-static', '-pthread', '-o', program, source]);
    const places = await patchedIn(program, ['waits'], 2);
    expect(checkAll(places).before).toBeGreaterThan(10);
    expect(new Set(places.map(({ path }) => path))).toEqual(new Set([program]));
  });
  test('of a program of Go', async ({ skip }) => {
    if (!has('go')) skip('not installed: go');
    const program = join(scratch, 'patched-go');
    writeFileSync(`${program}.go`, goProgram);
    execFileSync('go', ['build', '-o', program, `${program}.go`], {
      env: { ...process.env, CGO_ENABLED: '0' },
    });
    const places = await patchedIn(program, [], 2);
    expect(checkAll(places).before).toBeGreaterThan(2);
    expect(new Set(places.map(({ path }) => path))).toEqual(new Set([program]));
  });
  test('of python3 with threads: its C library and its loader', async ({ skip }) => {
    if (!existsSync('/usr/bin/python3')) skip('not installed: python3');
    const places = await patchedIn('/usr/bin/python3', ['-c', pythonScript], 4);
    const { before, behind } = checkAll(places);
    expect(before).toBeGreaterThan(10);
    expect(behind).toBeGreaterThan(0);
    const paths = places.map(({ path }) => path);
    expect(paths).toContainEqual(expect.stringMatching(/\/libc[.-]/));
    expect(paths).toContainEqual(expect.stringMatching(/\/ld[.-]/)); // it has loaded the modules
  });
});

const DISASSEMBLED = [
  '/lib/x86_64-linux-gnu/libc.so.6',
  '/usr/lib64/libc.so.6',
  '/lib64/ld-linux-x86-64.so.2',
  '/usr/lib/go/bin/gofmt',
  '/usr/local/go/bin/gofmt',
  launcherPath(),
];

describe.skipIf(!has('objdump'))("instructions' lengths are a disassembler's", () => {
  test.each(DISASSEMBLED.filter((path) => existsSync(path)))('in %s', (path) => {
    const program = compile('patching/decoding');
    const result = execFileSync(program, { input: recordsOf(path), encoding: 'utf8', maxBuffer: 1 << 20 });
    expect(result).toMatch(/^0 wrong of \d{4,}\n$/);
  });
});

test('what only looks so is left alone', async () => {
  const program = compile('patching/lookalikes');
  const native = await natively(program);
  expect(native.stdout).toBe('100 100 100 100 100 of 100\n');
  expect(await underLibcr(program)).toEqual(native);
});

test('nothing is patched into which something may go, or which can not stand elsewhere', async () => {
  const program = compile('patching/windows');
  const places = (await underLibcr(program)).stdout.trim().split('\n');
  const patched = [
    'plain',
    'small',
    'memory',
    'condition',
    'jump',
    'returns',
    'second',
    'loops',
    'goes_to_next',
    'returns_at_once',
  ];
  const left = [
    'entered',
    'entered_later',
    'entered_from_afar',
    'entered_from_beside',
    'table',
    'relative',
    'called',
    'falls',
    'nameless',
  ];
  expect(places).toEqual([
    ...patched.map((place) => `${place} 200 patched`),
    ...left.map((place) => `${place} 200 as it was`),
  ]);
});

test("a signal's handler is shown the program's own code, and the call is made again or ends", async () => {
  const program = compile('patching/shown', ['-fexceptions']);
  const native = await natively(program);
  expect(native.stdout).toBe(
    'restarted: shown 0, result 1\ninterrupted: shown 2, result -4\ncancelled: 1, cleaned up: 1\n',
  );
  expect(await underLibcr(program)).toEqual({ ...native, stderr: 'patched\n' });
});

/** Functions with a syscall at any alignment, of both kinds, and what they answer besides the call's result. */
function sitesSource(count: number): string {
  let seed = 12345;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  const behind: [string, number][] = [
    ['cmpq $-4096, %rax\n ja fail', 0],
    ['testl %eax, %eax\n js fail', 0],
    ['addq $1000000, %rax', 1000000],
    ['leaq 5(%rax), %rax\n nop', 5],
    ['movq %rax, -16(%rsp)\n movq -16(%rsp), %rax', 0],
    ['movl %eax, %edx\n leal 3(%rdx), %eax', 3],
    ['pushq %rax\n popq %rax\n incl %eax', 1],
    ['jmp 1f\n nopw 0(%rax,%rax)\n1: incl %eax', 1],
    ['jmp 1f\n1: incl %eax', 1],
    ['cmpb $0, -128(%rsp)', 0],
    ['movl $39, %eax\n syscall', 0], // another one at once
  ];
  let code = '.text\nfail: ud2\n';
  let table = '.section .data.rel.ro, "aw"\n.globl sites\nsites:\n';
  for (let i = 0; i < count; i++) {
    const [text, more] = behind[random(behind.length)] as [string, number];
    code += `.p2align 6\n.skip ${1 + random(63)}, 0x90\nsite${i}:\n.cfi_startproc\n`;
    code += random(2) ? ' movl $39, %eax\n' : ' movl $40, %eax\n decl %eax\n';
    code += ` syscall\n ${text}\n ret\n.cfi_endproc\n`;
    table += ` .quad site${i}, ${more}\n`;
  }
  return `${code}${table} .quad 0, 0\n.section .note.GNU-stack, "", @progbits\n`;
}

test.each([1, 2, 4])(
  'places of both kinds are patched while four threads and signals are there, on %s rforks',
  async (rforks) => {
    const source = join(scratch, 'sites.S');
    writeFileSync(source, sitesSource(500));
    const program = join(scratch, 'sites');
    execFileSync('gcc', [
      '-O1',
      '-pthread',
      '-o',
      program,
      fileURLToPath(new URL('../programs/patching/sites.c', import.meta.url)),
      source,
    ]);
    const { stdout, stderr, status } = await underLibcr(program, [], {
      options: [`--rforks=${rforks}`, '--stats'],
    });
    expect(stdout).toBe('500 places, 0 wrong\n');
    expect(status).toBe(0);
    expect(Number(/from (\d+) places/.exec(stderr)?.[1])).toBeGreaterThan(450);
  },
);

test('calls that are made often come without a signal; with --no-patch all do', async () => {
  const program = compile('threads/threads');
  const [patched, trapped] = await Promise.all([
    underLibcr(program, [], { options: ['--stats'] }),
    underLibcr(program, [], { options: ['--stats', '--no-patch'] }),
  ]);
  const counts = ({ stderr }: { stderr: string }) => {
    const [, all] = stderr.match(/: (\d+) system calls caught/) as RegExpMatchArray;
    const [, signals, places] = stderr.match(
      /(\d+) of them by a signal, the others from (\d+) places/,
    ) as RegExpMatchArray;
    return [Number(all), Number(signals), Number(places)] as const;
  };
  const [all, signals, places] = counts(patched);
  expect(signals).toBeLessThan(all / 2);
  expect(places).toBeGreaterThan(5);
  const [allTrapped, bySignal, noPlaces] = counts(trapped);
  expect(noPlaces).toBe(0);
  expect(bySignal).toBe(allTrapped);
  expect(trapped.stdout).toBe(patched.stdout);
});
