/** threads.test.ts: programs with threads print under the launcher what they print with the kernel's threads, with one rfork and with several. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  compile,
  disturbingAndChecking,
  has,
  natively,
  type Result,
  scratch,
  shim,
  underLibcr,
} from '../programs.ts';

/** What PROGRAM does natively, which must be the same under libcr with each number of rforks. */
async function same(
  program: string,
  args: string[] = [],
  rforks: number[] = [1, 2, 4],
  env: Record<string, string> = {},
): Promise<Result> {
  const native = await natively(program, args);
  for (const n of rforks)
    expect(await underLibcr(program, args, { options: [`--rforks=${n}`], env }), `${n} rforks`).toEqual(
      native,
    );
  return native;
}

describe('POSIX threads', () => {
  test('mutexes, condition variables, semaphores, barriers, timed waits, preemption, robust mutexes', async () => {
    const { stdout, status } = await same(compile('threads/threads'));
    expect(stdout).toContain(
      '1000 at once 999000\nmutex 80000\ncond 40000\nsem 40000\nbarrier 100\nrwlock 0\n',
    );
    expect(status).toBe(5);
  });
  test('the same of a static program', async () =>
    void (await same(compile('threads/threads', ['-static']), [], [2])));
  test('signals, restarts, cancellation, faults', async () => {
    const { stdout, signal } = await same(compile('signals/thread-signals'));
    expect(stdout).toContain('read: -1 Interrupted system call, handled 1, on it 1');
    expect(signal).toBe('SIGTERM');
  });
  test('a thread that is alone again waits in the kernel, and no tick ends that', async () => {
    expect((await same(compile('threads/alone'))).stdout).toBe('failed: 0 of 300\n');
  });
  test('a sleep beside one thread that computes is over as soon as beside two', async () => {
    for (const n of [1, 2])
      expect(await underLibcr(compile('threads/sleeps'), [], { options: [`--rforks=${n}`] })).toMatchObject({
        status: 0,
        stdout: 'as soon\n',
      });
  });
  test.each([
    ['sleeper', 'before others\n'],
    ['pair', 'has computed\n'],
  ])('whose turn it is: %s', async (name, stdout) => {
    const options = { options: ['--rforks=1'], timeout: 200_000 };
    expect(await underLibcr(compile('threads/turns'), [name], options)).toMatchObject({ status: 0, stdout });
  });
  test('signals that come just after they were blocked', async () => {
    const { stdout } = await same(compile('signals/early-signals'));
    expect(stdout.match(/handled 0, pending 1, poll 0/g)).toHaveLength(9);
    expect(stdout.match(/unblocked: handled 2, value 3\n/g)).toHaveLength(2);
    expect(stdout.match(/ended by (\d+)/g)).toEqual(['ended by 15', 'ended by 3', 'ended by 0']);
    expect(stdout).toMatch(/had their signal: 100\nafter exec: pending 1\n$/);
  });
  test.each(['ring', 'readiness'])('calls that wait stop one thread only (%s)', async (path) => {
    const env = { LIBCR_SYSCALLS_PATH: path };
    const { stdout, signal } = await same(compile('threads/blocking'), [], [1, 2, 4], env);
    expect(stdout).toContain('pipes: 200\na large write: 1048576 of 1048576\n');
    expect(signal).toBe('SIGPIPE');
  });
  test.each(['ring', 'readiness'])(
    'descriptors of all kinds, in pieces, ended by signals (%s)',
    async (path) => {
      const env = { LIBCR_SYSCALLS_PATH: path };
      const { stdout, status } = await same(compile('threads/waits'), [], [1, 2, 4], env);
      expect(stdout).toContain(
        'interrupted: pipe -4/1 socket -4/1 accept -4/1 poll -4/1 select -4/1 epoll -4/1 ',
      );
      expect(stdout).toContain('race: 2000\n');
      expect(status).toBe(3);
    },
  );
  test('connections that a signal ends as soon as they have begun', async () => {
    const { stdout } = await same(compile('signals/cancelled'), [], [1, 2, 4]);
    expect(stdout).toBe('800 connections, 0 that did not end as they should\n');
  });
  test('a signal for a child that has not run yet', async () => {
    const { stdout } = await same(compile('signals/fork-signals'), [], [1, 2]);
    expect(stdout).toBe('lost: 0 of fork, 0 of vfork; by one of several 0 and 0\n');
  });
  test('each futex call, and what stands in the words', async () => {
    const { stdout } = await same(compile('threads/futexes'), [], [1, 2]);
    expect(stdout).toContain('= -35 EDEADLK');
    expect(stdout).toContain('it had both = 0');
  });
  test('mutexes with priority inheritance, whose owners end, among threads and processes', async () => {
    const seed = String(1 + Math.floor(Math.random() * 1e6));
    for (const rforks of [1, 2, 4])
      expect(
        await underLibcr(compile('processes/inheriting'), [seed], { options: [`--rforks=${rforks}`] }),
        `seed ${seed}, ${rforks} rforks`,
      ).toEqual({
        status: 0,
        signal: null,
        stdout: 'one process: 0 wrong\ntwo processes: 0 wrong, 0\n',
        stderr: '',
      });
  });
  test('flags of a thread that signals and preemption interrupt', async () => {
    expect((await same(compile('processes/flags'), [], [1, 2])).stdout).toBe('0 wrong\n');
  });
  test('CPU clocks of threads, timers of them and for them', async () => {
    const { stdout } = await same(compile('threads/clocks'), [], [1, 2, 4]);
    expect(stdout).not.toMatch(/: no$/m);
  });
  test('what a program is told of its threads and children', async () => {
    const program = compile('threads/tasks');
    const { stdout } = await natively(program);
    expect(stdout).toContain('threads: 4, known: 4\n');
    for (const rforks of [1, 2])
      expect((await underLibcr(program, [], { options: [`--rforks=${rforks}`] })).stdout).toBe(stdout);
  });
  test('where user mode may not write the base of thread-local storage', async () => {
    const env = { LIBCR_FSGSBASE: '0' };
    for (const program of ['threads/threads', 'signals/thread-signals', 'processes/forks'])
      await same(compile(program), [], [1, 2], env);
  });
  test('processes begun by a program with threads', async () => {
    const { stdout } = await same(compile('processes/spawning'));
    expect(stdout).toContain('spawned: 0 wrong, nosuch: No such file or directory\nforked: 0 wrong\n');
    expect(stdout).toMatch(/run by a thread\n$/);
  });
  test.each(['ring', 'readiness'])('while a thread is in vfork others go on (%s)', async (path) => {
    const env = { LIBCR_SYSCALLS_PATH: path };
    const { stdout } = await same(compile('processes/apart'), [join(scratch, 'fifo')], [1, 2, 4], env);
    expect(stdout).toMatch(/^fifo: 0 wrong\nword: 6\nwoken: 0 wrong\n/);
  });
  test.each(['ring', 'readiness'])(
    'the same, where the program is disturbed and invariants are looked at (%s)',
    async (path) => {
      const program = compile('processes/apart');
      const args = [join(scratch, 'fifo')];
      const native = await natively(program, args);
      for (const seed of ['1', '2'])
        for (const rforks of [1, 2]) {
          const env = { LIBCR_SYSCALLS_PATH: path, LIBCR_INJECT: seed };
          const options = { launcher: disturbingAndChecking(), options: [`--rforks=${rforks}`], env };
          expect(await underLibcr(program, args, options), `seed ${seed}, ${rforks} rforks`).toEqual(native);
        }
    },
  );
  test('where shims look on, and the rfork stands still, a child of a handler has no turn to give back', async () => {
    const options = [`--native-shim=${shim('shims/gate.c')}`];
    expect(
      await underLibcr(compile('processes/apart'), [join(scratch, 'fifo'), 'in-handler'], { options }),
    ).toMatchObject({ status: 0, stdout: 'in a handler: 0 wrong\n' });
  });
  test('children of vfork that are killed while they write a line of the trace', async () => {
    for (const rforks of [1, 2]) {
      const options = [`--rforks=${rforks}`, `--trace=${join(scratch, 'vfork-trace')}`];
      expect(
        await underLibcr(compile('processes/apart'), [join(scratch, 'fifo'), 'killed'], { options }),
      ).toMatchObject({ status: 0, stdout: 'killed: 0 wrong\n' });
    }
  });
  test('threads that fork at the same time, beside one that computes', async () => {
    expect((await same(compile('processes/forks'))).stdout).toBe('360\n');
  });
  test('what lies in memory of several processes with threads', async () => {
    expect((await same(compile('processes/shared'))).stdout).toBe('1200 1 3\n');
  });
  test.skipIf(process.getuid?.() !== 0)(
    'credentials, run by root: nothing keeps the rights that the program gives up',
    async () => {
      expect((await same(compile('processes/credentials'))).stdout).toBe("user 65534, 0 threads of root's\n");
    },
  );
  test('a private wake is answered without the kernel in a process with one thread, too', async () => {
    const program = compile('threads/wakes');
    expect((await natively(program)).stdout).toBe('-1\n-1\n-1\n');
    expect((await underLibcr(program)).stdout).toBe('0\n0\n-1\n');
  });
  test('bad pointers answer EFAULT', async () => {
    const { stdout } = await same(compile('pointers'));
    expect(stdout.match(/Bad address/g)?.length).toBeGreaterThan(15);
  });
});

const threads = `
import threading, queue, subprocess, os, time
from concurrent.futures import ThreadPoolExecutor
numbers, results, lock, barrier = queue.Queue(), [], threading.Lock(), threading.Barrier(8)
def work():
    barrier.wait()
    while (number := numbers.get()) is not None:
        with lock: results.append(number * number)
workers = [threading.Thread(target=work) for _ in range(8)]
for worker in workers: worker.start()
for number in range(5000): numbers.put(number)
for _ in workers: numbers.put(None)
for worker in workers: worker.join()
print(sum(results))
with ThreadPoolExecutor(16) as pool: print(sum(pool.map(lambda n: n + 1, range(1000))))
with ThreadPoolExecutor(4) as pool: print([run.stdout for run in pool.map(lambda n: subprocess.run(["/bin/echo", str(n)], capture_output=True), range(4))])
reader, writer = os.pipe()
thread = threading.Thread(target=lambda: print(os.read(reader, 5)))
thread.start(); time.sleep(0.02); os.write(writer, b"hello"); thread.join()
child = os.fork()
if child == 0: os._exit(threading.active_count() + 4)
print(os.waitpid(child, 0)[1] >> 8)
`;

describe('other languages, where they are there', () => {
  test.skipIf(!has('python3'))('python3: threads, a queue, executors, subprocess, fork', async () => {
    expect((await same('/usr/bin/python3', ['-c', threads])).stdout).toContain("b'hello'\n5\n");
  });
  test.skipIf(!has('python3'))('python3: multiprocessing', async () => {
    const script = `
import multiprocessing as mp
def square(n): return n * n
if __name__ == '__main__':
    with mp.Pool(3) as pool: print(sum(pool.map(square, range(1000))))
    queue, lock, value = mp.Queue(), mp.Lock(), mp.Value('i', 0)
    def count():
        for _ in range(100):
            with lock: value.value += 1
        queue.put(value.value > 0)
    processes = [mp.Process(target=count) for _ in range(3)]
    for process in processes: process.start()
    print([queue.get() for _ in processes])
    for process in processes: process.join()
    print(value.value)
`;
    expect((await same('/usr/bin/python3', ['-c', script])).stdout).toBe(
      '332833500\n[True, True, True]\n300\n',
    );
  });
  test('node: a worker and a child process', async () => {
    const script = `const { Worker } = require('node:worker_threads');
      new Worker('process.exitCode = 4; console.log(require("node:os").EOL.length)', { eval: true })
        .on('exit', (code) => require('node:child_process').exec('echo child', (error, out) => console.log(code, out)));`;
    expect((await same(process.execPath, ['-e', script])).stdout).toBe('1\n4 child\n\n');
  });
});

test('other rforks are there from the second thread on; a child of fork begins alone, and has its own', async () => {
  const { stdout } = await underLibcr(compile('threads/rforks'), [], { options: ['--rforks=2'] });
  expect(stdout).toBe('parent: 0 others, then 1; processors 2\nchild: 0 others, then 1; processors 2\n');
  expect((await underLibcr(compile('threads/rforks'))).stdout).toBe(
    'parent: 0 others, then 0; processors 1\nchild: 0 others, then 0; processors 1\n',
  );
});

test('--stats of a program with threads says so', async () => {
  const { stderr } = await underLibcr(compile('threads/threads'), [], { options: ['--stats'], cwd: scratch });
  expect(stderr).toMatch(/^libcr: \d+ lwps, \d+ switches, \d+ preemptions/m);
});

test('threads wait in an io_uring, or in an epoll set where it is forbidden or not wanted', async () => {
  const forbidden = await underLibcr(compile('threads/ways'), ['forbid']);
  expect(forbidden.stdout).toBe(':[eventfd] :[eventpoll] 1\n');
  const unwanted = await underLibcr(compile('threads/ways'), [], {
    env: { LIBCR_SYSCALLS_PATH: 'readiness' },
  });
  expect(unwanted.stdout).toBe(':[eventfd] :[eventpoll] 1\n');
  const { stdout } = await underLibcr(compile('threads/ways'), [], { env: { LIBCR_SYSCALLS_PATH: 'ring' } });
  expect([':[eventfd] :[io_uring] 1\n', ':[eventfd] :[eventpoll] 1\n']).toContain(stdout); // this machine may forbid it
});
