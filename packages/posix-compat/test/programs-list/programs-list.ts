/**
 * programs-list.ts: programs that people use, each as a shell script whose output is the same in each run, so that shells, pipes and children are under libcr as well.
 * Inputs are small. programs-list.test.ts compares what they print natively and under libcr, signalled-list.test.ts while signals hit them.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { has, natively, type Result, type RunOptions, scratch } from '../programs.ts';

/** The launcher's options of each run. */
export const waysOf = (rforks: number[], escapes = false): string[][] =>
  rforks.map((n) => (n === 2 && !escapes ? ['--rforks=2', '--nothing-escapes'] : [`--rforks=${n}`]));

/** Those that signalled-list.test.ts sends. */
export type Signal = 'SIGUSR1' | 'SIGALRM' | 'SIGWINCH';

export interface Entry {
  title: string;
  /** In PATH, or in a path. */
  needs: string[];
  /** All of them, where nothing else is said. */
  rforks?: number[];
  /** Files of the folder that it runs in. */
  files?: Record<string, string>;
  script: string;
  /** Part of it is not under libcr, which says so: there is no run in which that is killed. */
  escapes?: true;
  /** Something that the output must have: that both are wrong in the same way is no success. */
  shows: string;
  /** Signals that change natively, too, what it does; with the cause. */
  uses?: Partial<Record<Signal, string>>;
}

/** A port that another test is not likely to have. */
const PORT = 'port=$((10000 + $$ % 22000));';
/** Until a command succeeds. */
const UNTIL =
  'until_it() { n=0; until "$@" >/dev/null 2>&1; do n=$((n + 1)); [ $n -lt 4000 ] || return 1; sleep 0.05; done; };';
/** PostgreSQL does not run as root. */
const POSTGRES = process.getuid?.() === 0 ? 'setpriv --reuid=postgres --regid=postgres --clear-groups' : '';

/** How much each client of pgbench does: transactions, or for a longer test seconds, in which a busy machine may come to none. */
const { LIBCR_PGBENCH_SECONDS } = process.env;
const PGBENCH = LIBCR_PGBENCH_SECONDS ? `-T ${LIBCR_PGBENCH_SECONDS}` : '-t 100';

const compressors: Entry[] = [
  { title: 'xz -T4', command: 'xz -T4 --block-size=128KiB' },
  { title: 'zstd -T4', command: 'zstd -T4 -5 -B256KiB' },
  { title: 'pigz -p4', command: 'pigz -n -p4 -b128' },
].map(({ title, command }) => {
  const [program = ''] = command.split(' ');
  return {
    title: `${title}: compresses to the same bytes, and back`,
    needs: [program],
    script: `seq 1 150000 > numbers; ${command} -c numbers > packed; cksum < packed; ${program} -dc packed | cmp - numbers && echo same`,
    shows: 'same\n',
  };
});

const languages: Entry[] = [
  {
    title: 'bash: pipes, traps, jobs, process substitution',
    needs: ['bash'],
    script: `exec bash -c 'trap "echo trapped" USR1; kill -USR1 $$; for i in 1 2 3; do (sleep 0.0$i; exit $i) & done; for j in $(jobs -p); do wait $j; echo $?; done
      diff <(seq 5) <(seq 6); coproc cat; echo through >&\${COPROC[1]}; read -u \${COPROC[0]} line; echo $line; (ulimit -t 5; echo limits); kill %1; echo \${PIPESTATUS[@]}'`,
    shows: 'through\n',
    uses: { SIGUSR1: 'its trap: what was ignored when a shell began stays so' },
  },
  {
    title: 'perl: fork, alarm, sockets, sort',
    needs: ['perl'],
    files: {
      'test.pl': `use strict; use Socket; $| = 1;
        socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC); select((select($b), $| = 1)[0]);
        for my $n (1 .. 3) { my $pid = fork; if (!$pid) { print $b "child $n\\n"; exit $n } waitpid $pid, 0; print $? >> 8, " ", scalar <$a>; }
        eval { local $SIG{ALRM} = sub { die "alarm\\n" }; alarm 1; select undef, undef, undef, 10 }; print $@;
        print join(" ", (sort { $a <=> $b } map { $_ * 7919 % 10007 } 1 .. 2000)[0, 500, 1999]), "\\n"; print \`echo back\`;`,
    },
    script: 'exec perl test.pl',
    shows: 'alarm\n',
    uses: {
      SIGALRM: 'its alarm, which it handles for as long as it waits',
      SIGWINCH: 'a handler ends its select, which its alarm is to end',
    },
  },
  {
    title: 'perl: its own threads',
    needs: ['perl'],
    script: `exec perl -e 'use threads; use threads::shared; my $n :shared = 0; $_->join for map { threads->create(sub { for (1 .. 500) { lock($n); $n++ } }) } 1 .. 4; print "$n\\n"'`,
    shows: '2000\n',
  },
  {
    title: 'python3: a threading HTTP server and its clients, asyncio, sqlite3',
    needs: ['/usr/bin/python3'],
    files: {
      'test.py': `import threading, asyncio, sqlite3, urllib.request, hashlib
from http.server import ThreadingHTTPServer, SimpleHTTPRequestHandler
class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
results = []
def get(): results.append(urllib.request.urlopen("http://127.0.0.1:%d/test.py" % server.server_port).read())
clients = [threading.Thread(target=get) for _ in range(20)]
for client in clients: client.start()
for client in clients: client.join()
print(len(results), set(results) == {open("test.py", "rb").read()})
server.shutdown()
async def child(n):
    process = await asyncio.create_subprocess_exec("echo", str(n), stdout=asyncio.subprocess.PIPE)
    return (await process.communicate())[0]
async def main(): print(await asyncio.gather(*(child(n) for n in range(5)), asyncio.to_thread(hashlib.sha256, b"x")) != [])
asyncio.run(main())
db = sqlite3.connect("db"); db.execute("create table t (n)"); db.executemany("insert into t values (?)", ((n,) for n in range(1000))); db.commit()
print(db.execute("select sum(n) from t").fetchone())
`,
    },
    script: 'exec /usr/bin/python3 test.py',
    shows: '20 True\nTrue\n(499500,)\n',
  },
  {
    title: 'ruby: threads, a queue, fork, backticks',
    needs: ['ruby'],
    files: {
      'test.rb': `$stdout.sync = true
        queue, results = Queue.new, Queue.new
        workers = 4.times.map { Thread.new { while (n = queue.pop) do results << n * n end } }
        1000.times { |n| queue << n }; 4.times { queue << nil }; workers.each(&:join)
        sum = 0; sum += results.pop until results.empty?; puts sum
        Process.wait(fork { puts "child"; exit! 3 }); puts $?.exitstatus, \`echo back\`
        begin; require "timeout"; Timeout.timeout(0.05) { sleep }; rescue Timeout::Error => e; puts e.class; end
        reader, writer = IO.pipe; t = Thread.new { reader.gets }; writer.puts "line"; puts t.value
        trap("USR1") { puts "trapped" }; Process.kill("USR1", $$); sleep 0.05`,
    },
    script: 'exec ruby test.rb',
    shows: '332833500\nchild\n3\nback\nTimeout::Error\nline\ntrapped\n',
    uses: { SIGUSR1: 'it says each that it traps' },
  },
  {
    title: 'java: a pool, locks, garbage, a NullPointerException, a process',
    needs: ['java'],
    files: {
      'Test.java': `import java.util.concurrent.*; import java.util.stream.*;
        public class Test { static int[] nothing; public static void main(String[] args) throws Exception {
          ExecutorService pool = Executors.newFixedThreadPool(8); long sum = 0;
          for (Future<Long> f : pool.invokeAll(IntStream.range(0, 100).<Callable<Long>>mapToObj(n -> () -> { byte[][] garbage = new byte[100][]; for (int i = 0; i < 1000; i++) garbage[i % 100] = new byte[1000]; return (long) n; }).collect(Collectors.toList()))) sum += f.get();
          System.out.println(sum); pool.shutdown(); System.out.println(pool.awaitTermination(10, TimeUnit.SECONDS));
          try { System.out.println(nothing.length); } catch (NullPointerException e) { System.out.println("null"); }
          System.gc(); System.out.println(IntStream.range(0, 100000).parallel().mapToLong(n -> n).sum());
          System.out.print(new String(new ProcessBuilder("echo", "child").start().getInputStream().readAllBytes()));
          Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook"))); System.exit(4); } }`,
    },
    script: 'exec java -XX:TieredStopAtLevel=1 Test.java',
    shows: '4950\ntrue\nnull\n4999950000\nchild\nhook\n',
  },
  {
    title: 'sqlite3: a file, sorting threads, a transaction that is rolled back',
    needs: ['sqlite3'],
    script: `sqlite3 db "pragma threads=4; create table t (n, m); with recursive c(x) as (select 1 union all select x + 1 from c where x < 50000) insert into t select x, x * 7919 % 10007 from c;
      create index i on t (m, n); select sum(n) from (select n from t order by m desc, n limit 1000); begin; delete from t; rollback; select count(*) from t; pragma integrity_check"`,
    shows: '50000\nok\n',
  },
];

const tools: Entry[] = [
  {
    title: 'make -j4 and gcc: a small project',
    needs: ['make', 'gcc'],
    files: {
      Makefile:
        'OBJECTS = $(addsuffix .o,$(basename $(wildcard *.c)))\nprogram: $(OBJECTS)\n\tgcc -o $@ $(OBJECTS)\n%.o: %.c\n\tgcc -O1 -c -o $@ $<\n',
      'main.c':
        '#include <stdio.h>\nint a(int), b(int), c(int);\nint main(void) { printf("%d\\n", a(1) + b(2) + c(3)); return 9; }\n',
      'a.c': 'int a(int n) { return n * 100; }\n',
      'b.c': 'int b(int n) { return n * 10; }\n',
      'c.c': 'int c(int n) { return n; }\n',
    },
    script: 'make -j4 | sort; ./program; echo $?; make -j4',
    shows: '123\n9\n',
    uses: { SIGUSR1: 'make says more from one on, and its children have it by default' },
  },
  {
    title: 'OpenMP',
    needs: ['gcc'],
    files: {
      'omp.c': `#include <omp.h>
#include <stdio.h>
int main(void) { long sum = 0; int most = 0, tasks = 0;
  #pragma omp parallel for reduction(+ : sum) schedule(dynamic, 100) num_threads(4)
  for (int i = 0; i < 100000; i++) sum += i;
  #pragma omp parallel num_threads(6) reduction(max : most)
  { most = omp_get_thread_num();
    for (int i = 0; i < 100; i++) {
      #pragma omp barrier
    }
    #pragma omp single
    for (int i = 0; i < 200; i++)
      #pragma omp task
      {
        #pragma omp atomic
        tasks++;
      }
  }
  printf("%ld %d %d\\n", sum, most, tasks); }
`,
    },
    script: 'gcc -O1 -fopenmp -o omp omp.c && ./omp && OMP_WAIT_POLICY=active ./omp',
    shows: '4999950000 5 200\n4999950000 5 200\n',
  },
  {
    title: 'git: commits, threads that grep and pack, a clone',
    needs: ['git'],
    script: `export HOME=$PWD GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@a GIT_AUTHOR_DATE=2020-01-01T00:00:00Z GIT_COMMITTER_DATE=2020-01-01T00:00:00Z
      git init -q -b main repo; cd repo; for i in $(seq 1 30); do seq $i 50 2000 > file$i; done; git add .; git commit -qm first; git rev-parse HEAD
      git -c grep.threads=4 grep -c 51; git -c pack.threads=4 repack -adfq; git fsck; git clone -q . ../clone; git -C ../clone log --oneline; git status --short`,
    shows: ' first\n',
  },
  {
    title: 'rg (Rust): searches with four threads',
    needs: ['rg'],
    script:
      'mkdir tree; for i in $(seq 1 40); do mkdir tree/$i; seq $i 1000 > tree/$i/file; done; rg -j4 -c 99 tree | sort; rg -j4 nothing tree; echo $?; seq 30 | rg 2',
    shows: 'tree/1/file:19\n',
  },
  {
    title: 'openssl: processes at once, a digest, keys',
    needs: ['openssl'],
    script:
      'seq 1 100000 | openssl dgst -sha256; openssl genpkey -algorithm ed25519 -out key; echo text > text; openssl pkeyutl -sign -inkey key -rawin -in text -out signed; openssl pkeyutl -verify -inkey key -rawin -in text -sigfile signed',
    shows: 'Signature Verified Successfully\n',
  },
  {
    title: 'ImageMagick: an image, with threads',
    needs: ['/usr/bin/convert'],
    script:
      'export MAGICK_THREAD_LIMIT=4; /usr/bin/convert -size 300x200 gradient:red-blue -blur 0x3 -rotate 30 ppm:- | cksum; echo $?',
    shows: '0\n',
  },
  {
    title: 'ffmpeg: filters, encoders and a decoder, with threads',
    needs: ['ffmpeg'],
    script: `exact='-flags +bitexact -fflags +bitexact -map_metadata -1'; video='-f lavfi -i testsrc=duration=1:size=160x120:rate=10'
      ffmpeg -v error -filter_threads 4 $video -f lavfi -i sine=duration=1 -threads 4 -c:v mpeg4 -c:a aac $exact -f matroska film; cksum < film
      ffmpeg -v error -threads 4 -i film -map 0:v -f framemd5 - | tail -1; ffmpeg -v error $video -threads 4 -c:v libx264 -preset veryfast $exact -f h264 - | cksum; ffmpeg -v error -i nosuch; echo $?`,
    shows: ' 28800, ',
  },
  {
    title: 'strace of a program',
    needs: ['strace'],
    rforks: [1],
    script: 'strace -o log -e trace=openat,write /bin/echo traced; grep -c "^write(1, .traced" log',
    shows: 'traced\n1\n',
    uses: {
      SIGUSR1: 'a tracer sees ignored signals, too: those of the child by which strace tries what ptrace can',
      SIGALRM: 'the same',
      SIGWINCH: 'the same',
    },
  },
  {
    title: 'gdb runs a program to a breakpoint',
    needs: ['gdb', 'gcc'],
    escapes: true, // what is debugged
    files: {
      'debugged.c':
        '#include <stdio.h>\nint stop(int n) { return n + 1; }\nint main(void) { printf("%d\\n", stop(41)); return 0; }\n',
    },
    script:
      'gcc -g -O0 -o debugged debugged.c; timeout -k 1 200 gdb -nx -batch -ex "set debuginfod enabled off" -ex "break stop" -ex run -ex "print n" -ex "bt" -ex continue ./debugged 2>&1 | grep -E "^[0-9#$]"',
    shows: '$1 = 41\n',
    uses: { SIGUSR1: 'it stops the program', SIGALRM: 'the time of timeout is over' },
  },
];

const servers: Entry[] = [
  {
    title: 'redis-server under redis-benchmark',
    needs: ['redis-server', 'redis-cli', 'redis-benchmark'],
    script: `${UNTIL} redis-server --port 0 --unixsocket $PWD/s --save '' --io-threads 2 --dir . > log & cli="redis-cli -s $PWD/s"; until_it $cli ping
      redis-benchmark -s $PWD/s -q -n 2000 -c 20 -P 4 -t set,get,incr,lpush > /dev/null; $cli incr counter:__rand_int__; $cli llen mylist; $cli get key:__rand_int__
      seq 1 500 | sed 's/.*/SET k& &/' | $cli --pipe | tail -1; $cli save; $cli get k77; $cli shutdown nosave; wait; echo $?; ls dump.rdb`,
    shows: 'dump.rdb\n',
  },
  {
    title: 'memcached -t 4, eight clients',
    needs: ['memcached', '/usr/bin/python3'],
    files: {
      'client.py': `import socket, threading
def client(n):
    s = socket.socket(socket.AF_UNIX); s.connect("s"); f = s.makefile("rwb")
    for i in range(200):
        f.write(b"set k%d-%d 0 0 4\\r\\n%04d\\r\\nincr total 1\\r\\n" % (n, i, i)); f.flush(); f.readline(); f.readline()
    for i in range(200):
        f.write(b"get k%d-%d\\r\\n" % (n, i)); f.flush(); f.readline(); assert f.readline() == b"%04d\\r\\n" % i; f.readline()
s = socket.socket(socket.AF_UNIX); s.connect("s"); s.sendall(b"set total 0 0 1\\r\\n0\\r\\n"); s.recv(100)
clients = [threading.Thread(target=client, args=(n,)) for n in range(8)]
for c in clients: c.start()
for c in clients: c.join()
s.sendall(b"get total\\r\\n"); print(s.recv(100))
`,
    },
    script: `${UNTIL} memcached -u root -t 4 -s $PWD/s & until_it test -S s; /usr/bin/python3 client.py; kill $!; wait; echo $?`,
    shows: String.raw`b'VALUE total 0 4\r\n1600\r\nEND\r\n'`,
    uses: { SIGUSR1: 'it ends, gracefully' },
  },
  {
    title: 'nginx with two workers, under ab',
    needs: ['/usr/sbin/nginx', 'ab'],
    files: {
      'nginx.conf': `worker_processes 2; pid nginx.pid; error_log stderr crit; events { worker_connections 64; }
        http { access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t; server { listen 127.0.0.1:PORT; location / { root .; } } }`,
      'index.html': 'hello\n',
    },
    script: `${PORT} ${UNTIL} sed -i s/PORT/$port/ nginx.conf; mkdir t; chmod 755 . t; /usr/sbin/nginx -p $PWD/ -c nginx.conf -g 'user root; daemon off;' & until_it ab -n 1 http://127.0.0.1:$port/index.html
      ab -k -c 16 -n 1500 http://127.0.0.1:$port/index.html 2>/dev/null | grep -E 'Complete|Failed|Non-2xx|HTML'; kill -QUIT $!; wait; echo $?`,
    shows: 'Complete requests:      1500\nFailed requests:        0\n',
  },
  {
    title: 'python3 -m http.server, under ab',
    needs: ['/usr/bin/python3', 'ab'],
    files: { 'index.html': 'hello\n' },
    script: `${PORT} ${UNTIL} /usr/bin/python3 -m http.server --bind 127.0.0.1 $port > log 2>&1 & until_it ab -n 1 http://127.0.0.1:$port/
      ab -c 8 -n 300 http://127.0.0.1:$port/ 2>/dev/null | grep -E 'Complete|Failed|Non-2xx|HTML'; kill $!; wait; echo $?`,
    shows: 'Complete requests:      300\nFailed requests:        0\n',
  },
  {
    title: 'PostgreSQL: initdb, a parallel query, pgbench with eight clients',
    needs: ['/usr/lib/postgresql/15/bin/initdb'],
    script: `${UNTIL} export PATH=/usr/lib/postgresql/15/bin:$PATH; as='${POSTGRES}'; mkdir data; [ -z "$as" ] || chown postgres . data; $as initdb -D data -A trust -U postgres --no-sync > log || cat log
      $as postgres -D data -k $PWD -c listen_addresses= -c fsync=off 2> server.log & until_it psql -h $PWD -U postgres -c 'select 1'
      psql() { command psql -h $PWD -U postgres -qAt "$@"; }; psql -c 'create table t as select n from generate_series(1, 200000) n; analyze t'
      psql -c 'set min_parallel_table_scan_size=0; set parallel_setup_cost=0; set parallel_tuple_cost=0; explain (costs off) select sum(n) from t; select sum(n) from t'
      pgbench -h $PWD -U postgres -i -q postgres > log 2>&1; pgbench -h $PWD -U postgres -c 8 -j 4 -t 30 postgres 2> log | grep -E 'processed|failed'
      pgbench -h $PWD -U postgres -n -c 8 -j 4 ${PGBENCH} postgres 2> log | grep -E 'failed'; psql -c 'select count(*) > 240, sum(delta) = (select sum(bbalance) from pgbench_branches) from pgbench_history'; kill -INT $!; wait; echo $?`,
    shows: '20000100000\n',
    uses: { SIGALRM: 'the time of pgbench -T is over' },
  },
];

export const goroutines = `package main
import ("fmt"; "net"; "os"; "os/exec"; "runtime"; "sync")
func main() {
	numbers, results := make(chan int), make(chan int); var group sync.WaitGroup
	for i := 0; i < 100; i++ { group.Add(1); go func() { defer group.Done(); for n := range numbers { b := make([]byte, 1000); results <- n + len(b) } }() }
	go func() { for n := 0; n < 5000; n++ { numbers <- n }; close(numbers); group.Wait(); close(results) }()
	sum := 0; for n := range results { sum += n }; fmt.Println(sum); runtime.GC()
	l, _ := net.Listen("tcp", "127.0.0.1:0"); go func() { for { c, e := l.Accept(); if e != nil { return }; go func() { b := make([]byte, 5); c.Read(b); c.Write(b); c.Close() }() } }()
	total := 0; for i := 0; i < 50; i++ { c, e := net.Dial("tcp", l.Addr().String()); if e != nil { fmt.Println(e); return }; c.Write([]byte("hello")); b := make([]byte, 5); n, _ := c.Read(b); total += n; c.Close() }
	fmt.Println(total); out, _ := exec.Command("echo", "child").Output(); fmt.Print(string(out))
	defer func() { fmt.Println(recover() != nil); os.Exit(3) }(); var p *int; fmt.Println(*p)
}
`;

/** Everything but programs that are linked in other ways. */
export const programs: [string, Entry[]][] = [
  ['compressors', compressors],
  ['languages', languages],
  ['tools', tools],
  ['servers', servers],
];

/** Behaviours of conformance/ with musl's threads. */
export const statics = [
  ['threads/join', 'join_chain'],
  ['sync/mutex', 'mutex_recursive'],
  ['sync/mutex', 'mutex_timedlock'],
  ['sync/cond', 'cond_turns'],
  ['sync/cond', 'cond_timedwait_monotonic'],
  ['sync/rwlock', 'rwlock_together'],
  ['sync/barrier', 'barrier_serial'],
  ['sync/semaphores', 'sem_turns'],
  ['threads/cancel', 'cancel_with_signals'],
] as const;

export function compileStatic(subject: string): string {
  const program = join(scratch, `musl-${subject.replace('/', '-')}`);
  const source = fileURLToPath(new URL(`../conformance/${subject}.c`, import.meta.url));
  if (!existsSync(program)) execFileSync('musl-gcc', ['-O1', '-static', '-pthread', '-o', program, source]);
  return program;
}

/** A static program of Go. */
export function compileGo(name: string, source: string): string {
  const program = join(scratch, name);
  writeFileSync(`${program}.go`, source);
  execFileSync('go', ['build', '-o', program, `${program}.go`], {
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  return program;
}

export const missing = ({ needs }: Entry): string[] =>
  needs.filter((name) => !(name.includes('/') ? existsSync(name) : has(name)));

let folders = 0;
chmodSync(scratch, 0o755); // PostgreSQL is another user

/** Runs a shell with the script in a folder of its own: natively, or by what runs it. The folder's name is `.` in the output. */
export async function runEntry(
  { files, script }: Entry,
  run: typeof natively = natively,
  options: RunOptions = {},
): Promise<Result> {
  const cwd = mkdtempSync(join(scratch, `list-${folders++}-`));
  chmodSync(cwd, 0o755);
  for (const [name, text] of Object.entries(files ?? {})) writeFileSync(join(cwd, name), text);
  const result = await run('/bin/sh', ['-c', script], { ...options, cwd });
  return { ...result, stdout: result.stdout.replaceAll(cwd, '.') };
}
