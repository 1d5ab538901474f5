/**
 * help.ts: what --help prints, for lwkt and for each command. README.md says more; a test holds the two
 * together.
 */

export const commands = ['run', 'trace', 'record', 'replay', 'top', 'doctor'] as const;

export type Command = (typeof commands)[number];

export const help: string = `Usage: lwkt COMMAND [ARGS...]

Run and look at programs on userthreads.

Commands:
  run      run a script with its top level on a userthread, or a program with its threads as userthreads
  trace    run a script, print its system calls as strace does, and a summary
  record   run a script, and write its system calls with their answers into a file
  replay   run it again, with the answers from the file
  top      show the userthreads of a program that runs, or its threads
  doctor   say what libcr finds on this machine, and try it

Options:
  -h, --help     this text; "lwkt COMMAND --help" for a command's own
  -V, --version  the version

Exit status: the script's or program's own; 1 for a script, a check or a look that failed, 2 for a wrong command line;
127 for a program that is not there, 126 for one that can't be run, 125 where the kernel does not let libcr run any.
`;

export const commandHelp: Record<Command, string> = {
  run: `Usage: lwkt run [OPTIONS] SCRIPT [ARGS...]
       lwkt run [--rforks N] [--trace[=FILE]] [--stats] [--policy RULES.json] [--metrics FILE] [--native-shim FILE]...
                [--] PROGRAM [ARGS...]

Runs SCRIPT as node would, but with its top level on a userthread, where it may block: wait(), sleep(), join(), sys.*.
SCRIPT is .js, .mjs, .cjs, or TypeScript: .ts, .mts, .cts, .tsx. A module with top-level await runs too, but its top
level stays on the event loop's stack: it can create userthreads there and not block itself.

PROGRAM is any other Linux program, found as a shell finds it: its threads are userthreads, and its system calls are
caught. What node would find under the name is a SCRIPT, unless it is an ELF file or its #! line names something else
than node; behind "--" only a name that ends as a script's does is one.

Options:
  --shim FILE     put the shim (or array of shims) that FILE exports in front of the program's system calls; may be
                  given more than once, the first is outermost
  --shim NAME[:VALUE]
                  the same with a ready-made shim: trace, policy, memfs, fault, latency, metrics. VALUE is JSON, or a
                  file's path that ends with .json; latency:5, metrics:FILE and trace:FILE may be so short
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
  --native-shim FILE
                  PROGRAM only: a shared object through which its system calls go, compiled with libcr_shim.h; may be
                  given more than once, the first is outermost
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

Runs SCRIPT as "lwkt run" does, and writes its system calls with their answers, clock readings and random numbers into a
file, from which "lwkt replay" answers them.

Options:
  -o, --output FILE  the file; if absent, SCRIPT's name with .recording for its extension, in the working directory
  --shim FILE, --config FILE
                     as for "lwkt run"
  -h, --help         this text
`,
  replay: `Usage: lwkt replay [OPTIONS] FILE [SCRIPT [ARGS...]]

Runs the script that was recorded into FILE again, or SCRIPT, with the answers that were recorded: network, files and clock
may be gone. What it writes to stdout and stderr is written. At the first call that is not what was recorded it ends: a
message says which, exit status 1.

Options:
  --partial       also a recording that is cut off, as far as it goes
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
