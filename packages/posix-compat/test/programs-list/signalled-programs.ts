/**
 * signalled-programs.ts: programs with handlers of their own for the signals of signalled-list.test.ts, in languages whose runtimes handle signals in their own ways. Each works until
 * it has handled every signal. Children do not inherit handlers, and USR1 and ALRM end them by default: those are for the program's own process alone.
 */
import type { Signal } from './programs-list.ts';

export interface Handling {
  title: string;
  /** In PATH, or a path: who runs the file. */
  runs: string[];
  file: string;
  text: string;
  /** For all processes of the program. */
  all: Signal[];
  /** For its first process alone. */
  own: Signal[];
  status: number;
  shows: string;
}

export const handling: Handling[] = [
  {
    title: 'perl: a pipe, children that are waited for',
    runs: ['perl'],
    file: 'handling.pl',
    text: `use strict; use POSIX (); $| = 1; my %seen; $SIG{$_} = sub { $seen{$_[0]}++ } for qw(USR1 ALRM WINCH); pipe(my $r, my $w); my ($sum, $hash) = (0, 0);
      for my $round (1 .. 5) {
        my $pid = fork; if (!$pid) { syswrite $w, "$round\\n" for 1 .. 50; exit 0 }
        my $text = ""; while (($text =~ tr/\\n//) < 50) { my $n = sysread $r, my $piece, 4096; $text .= $piece if $n }
        $sum += $_ for split /\\n/, $text; 1 while waitpid($pid, 0) < 0 && $!{EINTR};
      }
      print "$sum\\n"; $hash = ($hash * 31 + $_) % 1000003 for 1 .. 300000; print "$hash\\n";
      select undef, undef, undef, 0.001 while keys %seen < 3; print "all handled\\n"; POSIX::_exit(5) # its own end has the signals by default again, natively, too`,
    all: ['SIGWINCH'],
    own: ['SIGUSR1', 'SIGALRM'],
    status: 5,
    shows: '750\n742112\nall handled\n',
  },
  {
    title: 'python3: threads, a socket, processes, sleeps that must be whole',
    runs: ['/usr/bin/python3'],
    file: 'handling.py',
    text: `import signal, threading, subprocess, socket, select, time, os, hashlib
seen = set()
for s in (signal.SIGUSR1, signal.SIGALRM, signal.SIGWINCH): signal.signal(s, lambda number, frame: seen.add(number))
total, lock = [0], threading.Lock()
def add():
    for _ in range(100):
        with lock: total[0] += 1
        time.sleep(0.0001)
a, b = socket.socketpair()
def echo():
    while data := b.recv(100): b.sendall(data)
threads = [threading.Thread(target=f) for f in (add, add, add, add, echo)]
for t in threads: t.start()
for n in range(200): a.sendall(b"%d" % n); assert a.recv(100) == b"%d" % n
a.shutdown(socket.SHUT_WR)
for t in threads: t.join()
print(total[0], [subprocess.run(["sh", "-c", "read x; echo got $x"], input=b"line %d" % n, stdout=subprocess.PIPE).stdout for n in range(3)])
begin = time.monotonic(); time.sleep(0.05); print(time.monotonic() - begin >= 0.05)
begin = time.monotonic(); select.select([], [], [], 0.05); print(time.monotonic() - begin >= 0.05)
print(hashlib.sha256(b"x" * 10000000).hexdigest())
while len(seen) < 3: time.sleep(0.001)
print("all handled", flush=True)
os._exit(6) # its own end has the signals by default again, natively, too
`,
    all: ['SIGWINCH'],
    own: ['SIGUSR1', 'SIGALRM'],
    status: 6,
    shows: 'True\nTrue\n',
  },
  {
    title: 'ruby: a queue, a pipe, processes',
    runs: ['ruby'],
    file: 'handling.rb',
    text: `$stdout.sync = true; seen = {}; %w[USR1 ALRM WINCH].each { |s| trap(s) { seen[s] = true } }
      queue, results = Queue.new, Queue.new
      workers = 4.times.map { Thread.new { while (n = queue.pop) do results << n * n end } }
      1000.times { |n| queue << n }; 4.times { queue << nil }; workers.each(&:join)
      sum = 0; sum += results.pop until results.empty?; puts sum
      reader, writer = IO.pipe; t = Thread.new { 200.times.map { reader.gets.to_i }.sum }; 200.times { |n| writer.puts n }; puts t.value
      puts (1..50000).map { |n| n.to_s * 2 }.join.sum, (1..3).map { |n| IO.popen(["sh", "-c", "echo #{n}"], &:read) }.inspect
      sleep 0.001 until seen.size == 3; puts "all handled"; exit! 8`,
    all: ['SIGWINCH'],
    own: ['SIGUSR1', 'SIGALRM'],
    status: 8,
    shows: '332833500\n19900\n',
  },
  {
    title: 'node: a socket, files, a process, garbage',
    runs: [process.execPath],
    file: 'handling.mjs',
    text: `import { spawn } from 'node:child_process'; import { createHash, pbkdf2Sync } from 'node:crypto'; import { once } from 'node:events'; import { readFile } from 'node:fs/promises'; import { connect, createServer } from 'node:net';
      let seen = 0; process.on('SIGWINCH', () => seen++);
      const server = createServer((s) => s.pipe(s)).listen(0, '127.0.0.1'); await once(server, 'listening'); const s = connect(server.address().port, '127.0.0.1'); let got = 0;
      for (let n = 0; n < 200; n++) { s.write('hello'); const [d] = await once(s, 'data'); got += d.length; } console.log(got); s.destroy(); server.close();
      const files = await Promise.all(Array.from({ length: 50 }, () => readFile(process.argv[1]))); console.log(new Set(files.map((f) => createHash('sha1').update(f).digest('hex'))).size);
      const child = spawn('sh', ['-c', 'read x; echo got $x'], { stdio: ['pipe', 'pipe', 'inherit'] }); child.stdin.end('line\\n'); let out = ''; for await (const piece of child.stdout) out += piece; console.log(out.trim());
      let garbage = []; for (let n = 0; n < 300000; n++) { garbage.push({ n }); if (garbage.length > 5000) garbage = []; } console.log(pbkdf2Sync('a', 'b', 20000, 16, 'sha256').toString('hex'));
      while (seen < 10) await new Promise((r) => setTimeout(r, 1)); console.log('all handled'); process.exit(7);`,
    all: ['SIGWINCH'],
    own: [], // Node begins with all signals by default, also those that were ignored
    status: 7,
    shows: '1000\n1\ngot line\n',
  },
  {
    title: 'java: a pool, garbage, a process',
    runs: ['java', '-XX:TieredStopAtLevel=1'],
    file: 'Handling.java',
    text: `import java.util.*; import java.util.concurrent.*; import java.util.stream.*; import sun.misc.Signal;
      public class Handling { public static void main(String[] args) throws Exception {
        Set<String> seen = ConcurrentHashMap.newKeySet(); for (String s : new String[] {"ALRM", "WINCH"}) Signal.handle(new Signal(s), x -> seen.add(x.getName()));
        ExecutorService pool = Executors.newFixedThreadPool(4); long sum = 0;
        for (Future<Long> f : pool.invokeAll(IntStream.range(0, 100).<Callable<Long>>mapToObj(n -> () -> { byte[][] garbage = new byte[100][]; for (int i = 0; i < 1000; i++) garbage[i % 100] = new byte[1000]; return (long) n; }).collect(Collectors.toList()))) sum += f.get();
        System.out.println(sum); pool.shutdown(); System.out.println(new String(new ProcessBuilder("echo", "child").start().getInputStream().readAllBytes()).trim());
        while (seen.size() < 2) Thread.sleep(1); System.out.println("all handled"); Runtime.getRuntime().halt(4); } }`,
    all: ['SIGWINCH'],
    own: ['SIGALRM'], // USR1 the JVM keeps to itself
    status: 4,
    shows: '4950\nchild\nall handled\n',
  },
];
