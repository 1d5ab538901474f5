/**
 * schedule.test.ts: runs that can be had again: two of --deterministic make the same calls, virtual time takes none, and a schedule from a seed is the same each time
 * and finds what only some orders of threads show.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compile, has, type Result, scratch, underLibcr } from '../programs.ts';

let traces = 0;

interface Traced extends Result {
  trace: string;
  pid: string;
}

async function traced(program: string, args: string[], option: string): Promise<Traced> {
  const file = join(scratch, `trace-${traces++}`);
  const result = await underLibcr(program, args, { options: [option, `--trace=${file}`] });
  const trace = readFileSync(file, 'utf8');
  return { ...result, trace, pid: /^\d+/.exec(trace)?.[0] as string };
}

/** Without the numbers that the kernel gave these runs' processes: of both in each, as one may have another meaning in the other run. */
function withoutNumbers({ trace, stderr, ...rest }: Traced, runs: Traced[]): Result & { trace: string } {
  const numbers = new RegExp(`(?<!\\\\)\\b(${runs.map(({ pid }) => pid).join('|')})\\b`, 'g'); // not a byte of three octal digits
  const without = (text: string): string => text.replaceAll(numbers, 'PID').replace(/^PID +/gm, 'PID ');
  const { pid, ...result } = { ...rest, stderr: without(stderr), trace: without(trace) };
  return result;
}

async function same(
  program: string,
  args: string[],
  option: string,
  runs = 2,
): Promise<Result & { trace: string }> {
  const first = await traced(program, args, option);
  for (let run = 1; run < runs; run++) {
    const again = await traced(program, args, option);
    expect(withoutNumbers(again, [first, again]), option).toEqual(withoutNumbers(first, [first, again]));
  }
  return withoutNumbers(first, [first]);
}

/** Python itself, where the name is that of a script which looks for one. */
const python = (): string =>
  execFileSync('python3', ['-c', 'import os, sys; print(os.path.realpath(sys.executable))'], {
    encoding: 'utf8',
  }).trim();

const PYTHON = `
import asyncio, os, queue, random, threading, time
q = queue.Queue()
def work(n):
    for i in range(3):
        time.sleep(0.1 * n)
        q.put((n, i))
threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3)]
[t.start() for t in threads]
[t.join() for t in threads]
print([q.get() for _ in range(9)])
async def nap(n):
    await asyncio.sleep(100 * n)
    print('slept', n)
async def naps(): await asyncio.gather(*(nap(n) for n in (3, 1, 2)))
asyncio.run(naps())
print(random.random(), os.urandom(4).hex(), hash('text'), time.time() > 0)
`;

describe('--deterministic', () => {
  test('a program with threads makes the same calls in each run', async () => {
    const { trace } = await same(compile('schedule/check-then-act'), [], '--deterministic', 3);
    expect(trace).toMatch(/clone3?\(/);
  });
  test('random numbers and addresses are the same', async () => {
    const program = compile('schedule/random');
    const { stdout } = await same(program, [], '--deterministic');
    expect(stdout).toMatch(/^getrandom [0-9a-f]{32}\nurandom [0-9a-f]{32}\n/);
    expect((await underLibcr(program, [], { options: ['--schedule=seed:7'] })).stdout).not.toBe(stdout);
  });
  test('children have numbers of their own, and the same in each run', async () => {
    const program = compile('schedule/random');
    const script = `${program}; (${program}); sh -c "${program}; exec ${program}"`;
    const run = () => underLibcr('bash', ['-c', script], { options: ['--deterministic'] });
    const { stdout } = await run();
    expect((await run()).stdout).toBe(stdout);
    expect(new Set(stdout.match(/getrandom .*/g)).size).toBeGreaterThan(2);
  });
  test('who computes until another thread has done something does so for a while only, and that is said', async () => {
    for (const option of ['--deterministic', '--time=virtual', '--schedule=seed:1,pct:3'])
      expect(await underLibcr(compile('schedule/spin'), [], { options: [option] }), option).toMatchObject({
        status: 0,
        stdout: 'set\n',
        stderr: expect.stringMatching(
          /^libcr: thread \d+ computes and makes no call, .* can't be had again\n$/,
        ),
      });
  });
  test('several rforks are refused', async () => {
    expect(await underLibcr('true', [], { options: ['--deterministic', '--rforks=2'] })).toMatchObject({
      status: 2,
    });
  });
});

describe('--time=virtual', () => {
  test('sleeps and timeouts take no time, and end in their order', async () => {
    const { stdout, status } = await underLibcr(compile('schedule/sleeping'), [], {
      options: ['--time=virtual'],
    });
    expect(stdout).toBe(
      `${[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `thread ${n} is done\n`).join('')}threads: 2.40 s
an hour: 3602.40 s
condition: Connection timed out
condition: 100.00 s
semaphore: Connection timed out
semaphore: 200.00 s
poll: 0
poll: 20.00 s
epoll: 0
epoll: 30.00 s
select: 0
select: 40.00 s
timerfd: 50.00 s
timerfd: 57.00 s
alarm: 90.00 s
setitimer: 0.75 s
sigtimedwait: Resource temporarily unavailable
sigtimedwait: 60.00 s
timer: 1000.00 s
`,
    );
    expect(status).toBe(0);
  });
  test('the same in each run', async () =>
    void (await same(compile('schedule/sleeping'), [], '--time=virtual')));
  test.each([
    ['sleep 1000 & read line < <(sleep 500; echo late); wait; echo $line; date +%T', 'late\n00:33:20\n'],
    ['date +%T; sleep 100; date +%T', '00:16:40\n00:18:20\n'],
    [
      '(for i in 1 2 3; do sleep 1; echo $i; done) | while read i; do date +"$i %S"; done',
      '1 41\n2 42\n3 43\n',
    ],
    ['for i in 3 1 2; do (sleep $i; echo $i) & done; wait; date +%S', '1\n2\n3\n43\n'],
    [
      '(sleep 2; date +%S; sleep 2; date +%S) & sleep 1; date +%S; sleep 2; date +%S; wait',
      '41\n42\n43\n44\n',
    ],
    ['timeout 3 sleep 5; echo $?; timeout 5 sleep 3; echo $?; date +%S', '124\n0\n46\n'],
    [
      'read -t 5 line < <(sleep 7; echo late); echo "$? $line"; read -t 9 line < <(sleep 7; echo in time); echo "$? $line"',
      '142 \n0 in time\n',
    ],
    [
      'timeout 5 bash -c "for ((i = 0; i < 100000; i++)); do :; done; sleep 3; echo slept; sleep 3"; echo $?; date +%S',
      'slept\n124\n45\n',
    ],
    ['f=$(mktemp -u); mkfifo $f; timeout 3 cat <>$f; echo $?; rm $f; date +%S', '124\n43\n'],
    ['sleep 100 & sleep 1; kill -9 $!; wait $! 2>/dev/null; sleep 200; date +%T', '00:20:01\n'],
  ])('processes of a tree have one time: %s', async (script, stdout) => {
    for (const option of ['--time=virtual', '--schedule=seed:1', '--schedule=seed:2'])
      expect(await underLibcr('bash', ['-c', script], { options: [option] }), option).toMatchObject({
        status: 0,
        stdout,
      });
  });

  /** The numbers of processes, in the order in which they came: also one's that was ended before its first call. */
  const processesOf = (trace: string): string[] => [
    ...new Set(
      [...trace.matchAll(/\bclone\(.*= (\d+)$|^(\d+) /gm)].map(([, made, pid]) => made ?? (pid as string)),
    ),
  ];
  /** Which process a line is of is told by its place among them. Elsewhere a number of any is none, of both runs, as one may have another meaning in the other run. */
  const inOrder = (trace: string, all: ReadonlySet<string>): string => {
    const own = processesOf(trace);
    return trace
      .split('\n')
      .map((line) => {
        const [, pid = '', rest = line] = /^(\d+)( .*)$/.exec(line) ?? [];
        return `P${own.indexOf(pid)}${rest.replaceAll(/\d+/g, (n) => (all.has(n) ? 'PID' : n)).replaceAll(/ +/g, ' ')}`;
      })
      .join('\n');
  };

  test.each([
    'for i in 1 2 3; do (echo a$i; /bin/echo b$i) & done; wait',
    'seq 1 20000 | tee /dev/null | sort -rn | head -2',
    'sleep 3 & p=$!; kill $p; wait $p; echo $?; sleep 9 & kill -9 $!; wait $!; echo $?',
    'f=$(mktemp -u); (sleep 1; echo here > $f) & while [ ! -e $f ]; do :; done; wait; cat $f; rm $f',
    '(trap "echo usr1; exit 3" USR1; while :; do sleep 0.1; done) & sleep 1; kill -USR1 $!; wait $!; echo $?',
    'head -c 300000 /dev/zero | xz -T2 -0 | cksum',
  ])('all processes of a tree, in their order, are one run of a seed: %s', async (script) => {
    for (const seed of [1, 2, 3]) {
      const option = `--schedule=seed:${seed}`;
      const runs = [
        await traced('bash', ['-c', script], option),
        await traced('bash', ['-c', script], option),
      ];
      const all = new Set(runs.flatMap(({ trace }) => processesOf(trace)));
      const [first, second] = runs.map(({ status, stdout, trace }) => ({
        status,
        stdout,
        trace: inOrder(trace, all),
      }));
      expect(second, `seed ${seed}`).toEqual(first);
      expect(first?.stdout).not.toBe('');
    }
  });

  test('who waits for its turn before it makes a child of vfork is the same thread behind it', async () => {
    const program = compile('threads/vforks');
    for (let seed = 1; seed <= 5; seed++)
      expect(await underLibcr(program, [], { options: [`--schedule=seed:${seed}`] })).toMatchObject({
        status: 0,
        stdout: 'another thread: 0 times\n',
      });
  });

  test('seeds have processes run in different orders', async () => {
    const script = '(for i in 1 2 3; do /bin/echo a; done) & (for i in 1 2 3; do /bin/echo b; done) & wait';
    const outputs = new Set<string>();
    for (let seed = 1; seed <= 12; seed++)
      outputs.add(
        (await underLibcr('bash', ['-c', script], { options: [`--schedule=seed:${seed}`] })).stdout,
      );
    expect(outputs.size).toBeGreaterThan(1);
  });

  test('seeds have processes of a few calls each run in all their orders', async () => {
    const script = 'for i in 0 1 2; do (echo $i) & done; wait';
    const orders = new Set<string>();
    for (let seed = 1; seed <= 500 && orders.size < 6; seed++) {
      const { stdout, status } = await underLibcr('/bin/sh', ['-c', script], {
        options: [`--schedule=seed:${seed}`],
      });
      expect(status).toBe(0);
      orders.add(stdout.replaceAll('\n', ''));
    }
    expect([...orders].sort()).toEqual(['012', '021', '102', '120', '201', '210']);
  });
  test('a deadlock is told, with an exit status of its own', async () => {
    const { status, stderr } = await underLibcr(compile('schedule/deadlock'), [], {
      options: ['--time=virtual'],
    });
    expect(status).toBe(13);
    expect(stderr).toMatch(/^libcr: deadlock in process \d+: no thread can run/);
    expect(stderr.match(/^libcr: {3}thread \d+ \((deadlock|waiter)\) waits in futex\(0x/gm)).toHaveLength(2);
    expect(stderr).toContain('(waiter)');
  });
  test.runIf(has('python3'))('python: threads and asyncio, the same in each run', async () => {
    const { stdout, status } = await same(python(), ['-c', PYTHON], '--time=virtual');
    expect(status).toBe(0);
    expect(stdout).toContain('slept 1\nslept 2\nslept 3\n');
  });
});

/** The first seed with which the program ends otherwise than well. */
async function hunt(program: string, seeds: number, args: string[] = []): Promise<number | undefined> {
  for (let seed = 1; seed <= seeds; seed++)
    if ((await underLibcr(program, args, { options: [`--schedule=seed:${seed}`] })).status !== 0) return seed;
  return undefined;
}

const RACES = [
  'lost-update',
  'order-violation',
  'abba-deadlock',
  'lost-wake-up',
  'check-then-act',
  'double-checked-lock',
];

/** The other languages' are one program, with the race's name. */
function compileRaces(language: 'cc' | 'go'): string {
  const source = fileURLToPath(new URL(`../programs/schedule/races.${language}`, import.meta.url));
  const program = join(scratch, `races-${language}`);
  if (existsSync(program)) return program;
  if (language === 'cc') execFileSync('g++', ['-std=c++20', '-O1', '-pthread', '-o', program, source]);
  else execFileSync('go', ['build', '-o', program, source], { env: { ...process.env, CGO_ENABLED: '0' } });
  return program;
}

const LANGUAGES: ['cc' | 'go', string][] = [
  ['cc', 'g++'],
  ['go', 'go'],
];

describe.each(LANGUAGES)('races in another language: %s', (language, compiler) => {
  test.runIf(has(compiler)).each(RACES)(
    '%s is found with one of 200 seeds, and again with that; mended it is not',
    async (name) => {
      const program = compileRaces(language);
      const seed = await hunt(program, 200, [name]);
      expect(seed).toBeDefined();
      expect((await same(program, [name], `--schedule=seed:${seed}`)).status).not.toBe(0);
      expect(await hunt(program, Math.max(seed as number, 20), [name, 'mended'])).toBeUndefined();
    },
  );
});

const PERL = `use threads; use Thread::Queue; my $q = Thread::Queue->new;
my @t = map { my $n = $_; threads->create(sub { $q->enqueue("$n $_") for 1 .. 5 }) } 1 .. 3;
$_->join for @t; print $q->dequeue, "\\n" for 1 .. 15;`;
const RUBY =
  'q = Queue.new; t = 3.times.map { |n| Thread.new { 5.times { |i| q << [n, i]; Thread.pass } } }; t.each(&:join); p 15.times.map { q.pop }';

/** Programs that people use, with threads and no other process: `lwkt explore --verify` takes more seeds. */
const USED: [string, string[]][] = [
  ['perl', ['-e', PERL]],
  ['ruby', ['-e', RUBY]],
  ['rg', ['-j4', '-c', 'describe', fileURLToPath(new URL('..', import.meta.url))]],
  ['zstd', ['-T4', '-5', '-B64KiB', '-c', fileURLToPath(new URL('../../package.json', import.meta.url))]],
];

const PYTHON_RACES = fileURLToPath(new URL('../programs/schedule/races.py', import.meta.url));
/** What ends in a deadlock. */
const DEADLOCKS = ['abba-deadlock', 'lost-wake-up'];

/** The system's, which has its interpreter in the executable, before another one. */
const systemPython = (): string =>
  existsSync('/usr/bin/python3') ? realpathSync('/usr/bin/python3') : python();

describe.runIf(has('python3'))('races in Python', () => {
  test.each(RACES)(
    '%s is found with one of 200 seeds, and again with that; mended it is not',
    async (name) => {
      const [program, args] = [systemPython(), [PYTHON_RACES, name]];
      const seed = await hunt(program, 200, args);
      expect(seed).toBeDefined();
      const { status } = await same(program, args, `--schedule=seed:${seed}`);
      expect(status, `seed ${seed}`).toBe(DEADLOCKS.includes(name) ? 13 : 1);
      expect(await hunt(program, Math.min(seed as number, 20), [...args, 'mended'])).toBeUndefined();
    },
  );
  test('what is looked on in whatever way is the same run: Python goes by addresses, and they stay', async () => {
    const ways = [
      [],
      ['--stats'],
      [`--trace=${join(scratch, 'looked-on')}`],
      [`--metrics=${join(scratch, 'metrics')}`],
    ];
    for (let seed = 1; seed <= 3; seed++) {
      const logs = new Set<string>();
      for (const way of ways) {
        const log = join(scratch, 'decisions-looked-on');
        writeFileSync(log, '');
        await underLibcr(systemPython(), [PYTHON_RACES, 'lost-update'], {
          options: [`--schedule=seed:${seed}`, `--schedule-log=${log}`, ...way],
        });
        logs.add(readFileSync(log, 'utf8'));
      }
      expect(logs.size, `seed ${seed}`).toBe(1);
      expect([...logs][0]).not.toBe('');
    }
  });
  test('a run of the decisions that a seed made is the same run, where places are told by pages, too', async () => {
    let logs = '';
    for (let seed = 1; seed <= 8; seed++) {
      const [log, first, second, again] = await listed(systemPython(), [PYTHON_RACES, 'lost-update'], seed);
      expect(withoutProcesses(second), `${seed}`).toEqual(withoutProcesses(first));
      expect(again, `${seed}`).toBe(log);
      logs += log;
    }
    expect(logs).toMatch(/^\d+\.\d+\+\d+\/\d+=\d+ 0x[0-9a-f]+$/m);
    expect(logs).toMatch(/^\d+\.\d+\+\d+\/\d+=time 0x[0-9a-f]+$/m);
  });
});

describe('--preempt-in', () => {
  const source = fileURLToPath(new URL('../programs/schedule/in-library.c', import.meta.url));
  const named = ['--preempt-in=nosuch.so,libadding.so'];
  const compiled = (): [string, string[]] => {
    const [program, library] = [join(scratch, 'in-library'), join(scratch, 'libadding.so.1')];
    execFileSync('gcc', ['-O1', '-shared', '-fPIC', '-DLIBRARY', '-o', library, source]);
    execFileSync('gcc', ['-O1', '-pthread', '-o', program, source]);
    return [program, [library]];
  };
  test('a race in a library is found where that is named, and loaded and unloaded by threads', async () => {
    const [program, args] = compiled();
    const runs = async (more: string[]) => {
      let wrong = 0;
      for (let seed = 1; seed <= 20; seed++)
        wrong += (await underLibcr(program, args, { options: [`--schedule=seed:${seed}`, ...more] }))
          .status as number;
      return wrong;
    };
    expect(await runs([])).toBe(0);
    expect(await runs(named)).toBeGreaterThan(0);
  });
  test('the same by the list of its decisions, which say where in the library', async () => {
    const [program, args] = compiled();
    let logs = '';
    for (let seed = 1; seed <= 5; seed++) {
      const [log, first, second, again] = await listed(program, args, seed, named);
      expect(second, `${seed}`).toEqual(first);
      expect(again, `${seed}`).toBe(log);
      logs += log;
    }
    expect(logs).toMatch(/^\d+\.\d+\+\d+=\d+ \/.*\/libadding\.so\.1\+0x[0-9a-f]+$/m);
  });
  test.each([
    [['--preempt-in=libmine.so'], 'there is no --schedule'],
    [['--schedule=seed:1', '--preempt-in='], "files' names"],
    [['--schedule=seed:1', '--preempt-in=/lib/libmine.so'], "files' names"],
  ])('%j is none', async (options, message) => {
    const { status, stderr } = await underLibcr('true', [], { options });
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });
});

test("what a program's stack begins with lies where it lies however long libcr's own options are", async () => {
  const program = compile('schedule/where');
  const places = new Set<string>();
  for (const name of ['a', 'as', 'a'.repeat(99), undefined]) {
    const options = ['--deterministic', ...(name ? [`--trace=${join(scratch, name)}`] : [])];
    places.add((await underLibcr(program, [], { options })).stdout);
  }
  expect([...places]).toEqual([expect.stringMatching(/^1 0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+\n0x\w+ 0x\w+\n$/)]);
});

/** Whether the test has closed its end of a pipe yet comes from outside. */
const UNFED = ['-c', 'exec "$@" </dev/null', 'sh'];

describe('programs that people use', () => {
  for (const [program, args] of USED)
    test.runIf(has(program))(`${program}: the same seed is the same run`, async () => {
      for (let seed = 1; seed <= 5; seed++)
        expect((await same('sh', [...UNFED, program, ...args], `--schedule=seed:${seed}`)).status).toBe(0);
    });
});

describe('bugs of public trackers, built anew in small (the sources say of which)', () => {
  test.runIf(has('g++'))('a pool of threads that does not end', async () => {
    const program = join(scratch, 'pool-shutdown');
    const source = fileURLToPath(new URL('../programs/schedule/pool-shutdown.cc', import.meta.url));
    execFileSync('g++', ['-std=c++20', '-O1', '-pthread', '-o', program, source]);
    const seed = await hunt(program, 200);
    expect(seed).toBeDefined();
    const { status, stderr } = await same(program, [], `--schedule=seed:${seed}`);
    expect(status).toBe(13);
    expect(stderr).toContain('waits in futex(');
    expect(await hunt(program, seed as number, ['mended'])).toBeUndefined();
  });
  test('a key that is there after it was deleted', async () => {
    const program = compile('schedule/incr-delete');
    const seed = await hunt(program, 200);
    expect(seed).toBeDefined();
    expect(await same(program, [], `--schedule=seed:${seed}`)).toMatchObject({
      status: 1,
      stdout: 'deleted, and its value is 2\n',
    });
    expect(await hunt(program, seed as number, ['mended'])).toBeUndefined();
  });
});

describe.each(['--deterministic', '--time=virtual'])('%s: who asks again and again', (option) => {
  const ended = { status: 0, signal: null, stdout: 'done\n', stderr: '' };
  test('lets others go on, at the same places in each run', async () =>
    expect(await same(compile('schedule/asks'), [], option)).toMatchObject(ended));
  test('lets those wake that sleep', async () =>
    expect(await underLibcr(compile('schedule/asks'), ['20'], { options: [option] })).toEqual(ended));
});

test('what a processor counts is virtual time, and the number of processors that of no machine', async () => {
  const program = compile('schedule/machine');
  const { stdout } = await same(program, [], '--schedule=seed:1');
  expect(stdout).toMatch(/^cycles 1000\nprocessors 4\n$/);
  expect((await underLibcr(program, [], { options: ['--time=virtual'] })).stdout).toMatch(/^cycles \d+\n/);
  expect((await underLibcr(program, ['run', program], { options: ['--time=virtual'] })).stdout).toMatch(
    /^cycles \d+\ncycles \d+\n/,
  );
});

/** A run's decisions, and the same run by the list of them. */
async function listed(
  program: string,
  args: string[],
  seed: number,
  more: string[] = [],
): Promise<[string, Result, Result, string]> {
  const [log, again] = [join(scratch, 'decisions'), join(scratch, 'decisions-again')];
  const run = (schedule: string, to: string) => {
    writeFileSync(to, '');
    return underLibcr(program, args, {
      options: [`--schedule=${schedule}`, `--schedule-log=${to}`, ...more],
    });
  };
  const first = await run(`seed:${seed}`, log);
  const second = await run(`seed:${seed},list:${log}`, again);
  return [readFileSync(log, 'utf8'), first, second, readFileSync(again, 'utf8')];
}

const withoutProcesses = ({ stderr, ...rest }: Result) => ({
  ...rest,
  stderr: stderr.replaceAll(/(process|thread) \d{1,7}\b/g, '$1 N'),
});

describe('--schedule=seed:N,list:', () => {
  test.each(['lost-update', 'abba-deadlock', 'sleeping', 'random'])(
    '%s: a run of the decisions that a seed made is the same run',
    async (name) => {
      for (let seed = 1; seed <= 10; seed++) {
        const [log, first, second, again] = await listed(compile(`schedule/${name}`), [], seed);
        expect(withoutProcesses(second), `${seed}`).toEqual(withoutProcesses(first));
        expect(again, `${seed}`).toBe(log);
      }
    },
  );
  test('of children, and of programs that they run, too', async () => {
    const program = compile('schedule/lost-update');
    const script = `${program}; (${program}; exec ${program}); exec ${program}`;
    const [log, first, second, again] = await listed('bash', ['-c', script], 6);
    expect(second).toEqual(first);
    expect(again).toBe(log);
    expect(log).toMatch(/^\d+@\d+\.\d+[+:=]/m);
  });
  test('one decision is enough for a lost update, and none is none', async () => {
    const program = compile('schedule/lost-update');
    const run = (list: string) => underLibcr(program, [], { options: [`--schedule=seed:1,list:${list}`] });
    expect((await run('')).status).toBe(0);
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, n) => run(`2.3+${n + 1}=3`).then(({ status }) => status)),
    );
    expect(new Set(results)).toEqual(new Set([0, 1]));
  });
  test('one decision is enough for a timeout: it may expire before any call', async () => {
    const program = compile('schedule/timeout');
    const run = (list: string) => underLibcr(program, [], { options: [`--schedule=seed:1,list:${list}`] });
    expect(await run('')).toMatchObject({ status: 0, stdout: 'in time\n' });
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, n) => run(`2.${n + 1}=time,2.${n + 1}=1`).then(({ status }) => status)),
    );
    expect(new Set(results)).toEqual(new Set([0, 1]));
    const seed = await hunt(program, 200);
    expect(seed).toBeDefined();
    expect((await same(program, [], `--schedule=seed:${seed}`)).stdout).toBe('late\n');
    const [log, first, second, again] = await listed(program, [], seed as number);
    expect(second).toEqual(first);
    expect(again).toBe(log);
  });
  test.each([
    ['1', 'list:DECISIONS'],
    ['1.2', 'list:DECISIONS'],
    ['1.2+=3', 'list:DECISIONS'],
    ['1.2=3,', 'no error'],
    ['1.2=3;', 'list:DECISIONS'],
    ['1.2=time', 'no error'],
    ['1.2:3=time', 'list:DECISIONS'],
    ['1.2+3=times', 'list:DECISIONS'],
    ['1.2+3/4=3,1.2+0/4=time', 'no error'],
    ['1.2+3/=3', 'list:DECISIONS'],
    ['1.2+3/0=3', 'list:DECISIONS'],
    ['1.2:3/4=3', 'list:DECISIONS'],
    ['1.2/4=3', 'list:DECISIONS'],
    ['/nosuch/file', "can't be read"],
  ])('%s: %s', async (list, message) => {
    const { status, stderr } = await underLibcr('true', [], { options: [`--schedule=seed:1,list:${list}`] });
    if (message === 'no error') expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    else {
      expect(status).toBe(2);
      expect(stderr).toContain(message);
    }
  });
  test('decisions are written to a whole path only', async () => {
    const { status, stderr } = await underLibcr('true', [], { options: ['--schedule-log=here'] });
    expect(status).toBe(2);
    expect(stderr).toContain('must be a whole path');
  });
});

describe('--schedule=seed:N', () => {
  test.each(RACES)('%s is found with one of 200 seeds, and again with that', async (name) => {
    const program = compile(`schedule/${name}`);
    const seed = await hunt(program, 200);
    expect(seed).toBeDefined();
    const { status } = await same(program, [], `--schedule=seed:${seed}`, 3);
    expect(status).not.toBe(0);
  });
  test.each(['random', 'pct:2', 'pct:3', 'round-robin', 'mixed'])(
    '%s: the same seed is the same run',
    async (strategy) => {
      for (let seed = 1; seed <= 5; seed++) {
        await same(compile('schedule/lost-update'), [], `--schedule=seed:${seed},${strategy}`);
        await same(compile('schedule/abba-deadlock'), [], `--schedule=seed:${seed},${strategy}`);
      }
    },
  );
  test('seeds differ', async () => {
    const outputs = new Set<string>();
    for (let seed = 1; seed <= 20; seed++)
      outputs.add(
        (await underLibcr(compile('schedule/lost-update'), [], { options: [`--schedule=seed:${seed}`] }))
          .stdout,
      );
    expect(outputs.size).toBeGreaterThan(1);
  });
  test('what the program does with signals, locks and descriptors is right with any', async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const { stdout, status } = await underLibcr(compile('schedule/sleeping'), [], {
        options: [`--schedule=seed:${seed}`],
      });
      expect(stdout).toContain('an hour: 36');
      expect(status).toBe(0);
    }
  });
  test.runIf(has('python3'))('python', async () => {
    expect((await same(python(), ['-c', PYTHON], '--schedule=seed:5')).status).toBe(0);
  });
  test.each([
    ['seed', 'no such schedule'],
    ['seed:', 'where STRATEGY is'],
    ['seed:1,dance', 'no such strategy'],
    ['seed:1,pct:0', 'no such strategy'],
    ['seed:1;', 'where N is a number'],
    ['seed:18446744073709551616', 'is too large'],
    ['seed:1,pct:99999999999999999999999', 'is too large'],
  ])('%s is none', async (schedule, message) => {
    const { status, stderr } = await underLibcr('true', [], { options: [`--schedule=${schedule}`] });
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });
});
