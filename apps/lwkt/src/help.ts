/**
 * help.ts: what --help prints, for lwkt and for each command. README.md says more; a test holds the two
 * together.
 */

export const commands = ['run', 'trace', 'record', 'replay', 'explore', 'top', 'doctor'] as const;

export type Command = (typeof commands)[number];

export const help: string = `Usage: lwkt COMMAND [ARGS...]

Run and look at programs on userthreads.

Commands:
  run      run a script with its top level on a userthread, or a program with its threads as userthreads
  trace    run a script, print its system calls as strace does, and a summary
  record   run a script or a program, and write its system calls with their answers into a file
  replay   run it again, with the answers from the file
  explore  run a program with one schedule of its threads after the other, until one goes wrong
  top      show the userthreads of a program that runs, or its threads
  doctor   say what libcr finds on this machine, and try it

Options:
  -h, --help     this text; "lwkt COMMAND --help" for a command's own
  -V, --version  the version

Exit status: the script's or program's own; 1 for a script, a check or a look that failed, or what explore has found;
2 for a wrong command line; 13 for a deadlock; 127 for a program that is not there, 126 for one that can't be run, 125
where the kernel does not let libcr run any, and for a replay of a program that does otherwise than was recorded.
`;

export const commandHelp: Record<Command, string> = {
  run: `Usage: lwkt run [OPTIONS] SCRIPT [ARGS...]
       lwkt run [--shim FILE]... [--config FILE] [--on-supervisor-exit kill|detach] [--shim-timeout MS] [--rforks N]
                [--trace[=FILE]] [--stats] [--policy RULES.json] [--metrics FILE] [--native-shim FILE]...
                [--deterministic] [--time virtual] [--schedule seed:N[,STRATEGY]]
                [--preempt-in LIBRARY]... [--] PROGRAM [ARGS...]

Runs SCRIPT as node would, but with its top level on a userthread, where it may block: wait(), sleep(), join(), sys.*.
SCRIPT is .js, .mjs, .cjs, or TypeScript: .ts, .mts, .cts, .tsx. A module with top-level await runs too, but its top
level stays on the event loop's stack: it can create userthreads there and not block itself.

PROGRAM is any other Linux program, found as a shell finds it: its threads are userthreads, and its system calls are
caught. What node would find under the name is a SCRIPT, unless it is an ELF file or its #! line names something else
than node; behind "--" only a name that ends as a script's does is one.

Options:
  --shim FILE     put the shim (or array of shims) that FILE exports in front of the program's system calls; may be
                  given more than once, the first is outermost. Before a PROGRAM they run in lwkt's process, which
                  stays until it, and all that it starts, have ended
  --shim NAME[:VALUE]
                  the same with a ready-made shim: trace, policy, memfs, overlay, fault, latency, metrics.
                  VALUE is JSON, or a file's path that ends with .json; latency:5, metrics:FILE, overlay:DIRECTORY
                  and trace:FILE may be so short; trace and metrics alone write to stderr, metrics a table at the end
  --config FILE   put the shims of a configuration file (as of @libcr/syscalls/register) outside of those
  --trace[=FILE]  print each system call that goes through the system-call port, to FILE or stderr
  --trace-events=FILE
                  record when each userthread runs, what it waits for, and messages; written to FILE when the program
                  exits, as JSON that ui.perfetto.dev shows. Has nothing to do with --trace
  --stack-size SIZE
                  stack of each userthread that says nothing else, the top level's too: bytes, or as in 512k and 1m.
                  The same as LIBCR_STACK_SIZE=SIZE
  --no-top        "lwkt top" can't look at it
  --stats         PROGRAM only: when it ends, print how many system calls were caught, to stderr
  --policy RULES.json
                  PROGRAM only: what it may do: [{"action": "deny", "on": ["connect"], "errno": "EPERM"}, ...]; the
                  first rule about a call decides, what no rule is about is allowed
  --rforks N      PROGRAM only: kernel threads that run its threads, 1 to 64; 1 if absent
  --metrics FILE  PROGRAM only: when it ends, write into FILE how often it made which system call, how that ended and
                  how long it took, as text for Prometheus; into FILE.PID for each process that it starts
  --on-supervisor-exit kill|detach
                  PROGRAM with --shim or --config only: what becomes of it when lwkt ends before it: it is killed (if
                  absent), or goes on without shims
  --shim-timeout MS
                  PROGRAM with --shim or --config only: a call for which shims take longer fails with ETIMEDOUT
  --native-shim FILE
                  PROGRAM only: a shared object through which its system calls go, compiled with libcr_shim.h; may be
                  given more than once, the first is outermost
  --deterministic PROGRAM only: what differs from run to run is the same: addresses, random numbers, when its threads
                  are interrupted
  --time virtual  PROGRAM only: and time moves only when none of its threads can run, then to the first timer: sleeps
                  and timeouts take no time. A deadlock is told: every thread, and what it waits for; exit status 13
  --schedule seed:N[,STRATEGY], seed:N,list:DECISIONS
                  PROGRAM only: and which thread runs, and where it is interrupted, comes from the number N: the same
                  run again. STRATEGY: random, pct:D (random priorities, D - 1 changes), round-robin; mixed if absent
  --preempt-in LIBRARY
                  with --schedule: a library, by its file's name, that is interrupted between instructions, as the
                  program's own code is: libmine.so is libmine.so.1.2, too. May be given more than once
  -h, --help      this text
`,
  explore: `Usage: lwkt explore [OPTIONS] PROGRAM [ARGS...]

Runs PROGRAM with one schedule of its threads after the other, as "lwkt run --schedule seed:N" does for N = 1, 2, ...,
until a run goes wrong: exit status other than 0, a signal, a deadlock, a hang, or what --check says. Prints the seed,
what the program printed, and the command that has the same run again, also in gdb; then the same of the shortest
schedule that goes wrong so, with the places at which threads take turns. Exit status 0 where nothing was found, 1 where
something was. The program's input is empty; each run has the files that the shell gives (3<file) from the same place on.

Options:
  --runs N        how many at most; 1000 if absent
  -j, --jobs J    how many at once; as many as there are processors if absent
  --seed N        the first; 1 if absent
  --strategy S    random, pct:D, round-robin or mixed, as for --schedule
  --timeout SECONDS
                  a run that lasts longer hangs; 30 if absent
  --check COMMAND
                  a shell's, which gets the program's output (stdout and stderr) as its input and the seed as
                  LIBCR_SEED: the run is wrong if it fails. For runs with exit status 0
  --shrink-runs N
                  how many runs at most look for the shortest schedule that goes wrong in the same way; 500 if absent,
                  0: it is not looked for
  --preempt-in LIBRARY
                  as for "lwkt run": a library that is interrupted between instructions, too
  --verify        run each seed twice, and find one whose runs differ: in output, end or system calls
  -h, --help      this text
`,
  trace: `Usage: lwkt trace [OPTIONS] SCRIPT [ARGS...]

Runs SCRIPT as "lwkt run --trace" does, and prints a table of the system calls when it ends. The seconds are elapsed
time, waiting included (as strace -c -w counts).

Options:
  -o, --output FILE  write calls and table to FILE, not to stderr
  --shim FILE, --config FILE
                     as for "lwkt run"
  -h, --help         this text
`,
  record: `Usage: lwkt record [OPTIONS] SCRIPT [ARGS...]
       lwkt record [-o FILE] [--] PROGRAM [ARGS...]

Runs SCRIPT as "lwkt run" does, and writes its system calls with their answers, clock readings and random numbers into a
file, from which "lwkt replay" answers them.

Of a PROGRAM, and of all that it runs, the file has all that came from outside, the program's own code included, signals,
and the order in which its threads ran: one at a time, on one rfork. What can't be replayed is said on stderr.

Options:
  -o, --output FILE  the file; if absent, SCRIPT's name with .recording for its extension, in the working directory
  --shim FILE, --config FILE
                     SCRIPT only: as for "lwkt run"
  -h, --help         this text
`,
  replay: `Usage: lwkt replay [OPTIONS] FILE [SCRIPT [ARGS...]]
       lwkt replay [--trace[=FILE]] FILE [PROGRAM]

Runs the script that was recorded into FILE again, or SCRIPT, with the answers that were recorded: network, files and clock
may be gone. What it writes to stdout and stderr is written. At the first call that is not what was recorded it ends: a
message says which, exit status 1.

The recording of a program needs none of its files; with PROGRAM the program's own code is that file's, as of a newer
build. FILE may be packed by gzip. Exit status 125 where something differs.

Options:
  --partial       SCRIPT only: also a recording that is cut off, as far as it goes
  --trace[=FILE]  print the calls, as for "lwkt run"
  -h, --help      this text
`,
  top: `Usage: lwkt top [OPTIONS] [PID]

Shows the rforks and userthreads of process PID: a table that is drawn anew each interval; q or Ctrl-C ends it. Where
the output is no terminal: one table. Without PID: of the only process that can be looked at. That is one of yours that
was started by "lwkt run", or by "node --import @libcr/core/top". Of a PROGRAM: its lwps, which it takes for threads.

Options:
  --json              print JSON, once; with --interval, a line at each look
  --once              print one table
  -i, --interval SECONDS
                      from one look to the next, 0.1 to 3600; 1 if absent
  --sort KEY          cpu (if absent; since the look before), id, name, rfork, priority, state, switches, preemptions,
                      stack, queue
  -h, --help          this text
`,
  doctor: `Usage: lwkt doctor [--json]

Says what libcr finds on this machine and which way it takes, and tries it: create, switch, a message, a system call.
Exit status 1 if something that libcr needs is missing.

Options:
  --json      print one JSON object
  -h, --help  this text
`,
};
