# terminal.py - a terminal with an interactive shell, in which programs run: terminal.py WHICH COMMAND..., where COMMAND is what runs a program (the launcher, or lwkt).
#
# It waits for what is to be seen, never for time; what does not come within a minute is a failure, and all that came is printed.
import os
import pty
import re
import select
import shlex
import sys

PATIENCE = 60


class Terminal:
    def __init__(self):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="ready> ", TERM="dumb", LC_ALL="C", HISTFILE="")
            os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
        self.expect("ready> $")

    def expect(self, pattern):
        while not re.search(pattern, self.seen):
            if not select.select([self.fd], [], [], PATIENCE)[0]:
                sys.exit("%r did not come, but %r" % (pattern, self.seen))
            try:
                self.seen += os.read(self.fd, 4096).decode(errors="replace")
            except OSError:
                sys.exit("the shell has ended: %r" % self.seen)
        self.seen = self.seen[re.search(pattern, self.seen).end():]

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def status(self, number):
        """The shell's prompt, and the status of what ran last."""
        self.expect("ready> $")
        self.type("echo =$?=\n")
        self.expect("\n=%d=\r\n" % number)
        self.expect("ready> $")


def stop(terminal, run):
    """Ctrl-Z stops it, the shell sees that; fg continues it, and it reads what is typed."""
    terminal.type(run + " sh -c 'echo u\"\"p; read word; echo \"<$word>\"; exit 4'\n")
    terminal.expect("\nup\r\n")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.expect("ready> $")
    terminal.type("jobs\n")
    terminal.expect("Stopped")
    terminal.expect("ready> $")
    terminal.type("fg\n")
    terminal.expect("sh -c")
    terminal.type("typed\n")
    terminal.expect("\n<typed>\r\n")
    terminal.status(4)


def background(terminal, run):
    """bg continues it, and it is stopped again as it reads from the terminal: SIGTTIN."""
    terminal.type(run + " sh -c 'echo u\"\"p; read word; echo \"<$word>\"'\n")
    terminal.expect("\nup\r\n")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.expect("ready> $")
    terminal.type("bg; wait %1; jobs -l\n")
    terminal.expect(r"tty input")
    terminal.type("fg\n")
    terminal.expect("sh -c")
    terminal.type("more\n")
    terminal.expect("\n<more>\r\n")
    terminal.status(0)


def interrupt(terminal, run):
    """Ctrl-C and Ctrl-\\ end it, or run its handler."""
    terminal.type(run + " sh -c 'echo u\"\"p; exec cat'\n")
    terminal.expect("\nup\r\n")
    terminal.type("\x03")
    terminal.status(130)
    terminal.type("ulimit -c 0; " + run + " sh -c 'echo u\"\"p; exec cat'\n")
    terminal.expect("\nup\r\n")
    terminal.type("\x1c")
    terminal.status(131)
    terminal.type(run + " sh -c 'trap \"echo caught; exit 7\" INT; echo u\"\"p; while :; do sleep 1; done'\n") # a shell in read could just have looked
    terminal.expect("\nup\r\n")
    terminal.type("\x03")
    terminal.expect("caught\r\n")
    terminal.status(7)


def own(terminal, run):
    """It is in the foreground of its terminal; end of input reaches it."""
    program = "import os, sys; print(os.isatty(0), os.tcgetpgrp(0) == os.getpgrp(), os.ttyname(0) == os.ttyname(1))"
    terminal.type("%s %s -c %s\n" % (run, shlex.quote(sys.executable), shlex.quote(program)))
    terminal.expect("\nTrue True True\r\n")
    terminal.status(0)
    terminal.type(run + " sh -c 'echo u\"\"p; cat; echo en\"\"d'\n")
    terminal.expect("\nup\r\n")
    terminal.type("\x04")
    terminal.expect("end\r\n")
    terminal.status(0)


def settings(terminal, run):
    """How it leaves its terminal is how the shell finds it."""
    terminal.type(run + " stty -echo; stty -a | grep -o '.echo '; " + run + " stty echo\n")
    terminal.expect("-echo ")
    terminal.expect("ready> $")


def hangup(terminal, run):
    """The terminal goes: the program is told, by the kernel and by the shell."""
    path = os.path.join(os.environ["SCRATCH"], "hung-up-%d" % os.getpid())
    os.mkfifo(path)
    terminal.type(run + " sh -c 'trap \"trap \\\"\\\" HUP; echo hung up > %s; exit\" HUP; echo u\"\"p; while :; do read x; done'\n" % path)
    terminal.expect("\nup\r\n")
    os.close(terminal.fd)
    with open(path) as fifo:
        said = fifo.read()
    assert said == "hung up\n", said


which, *command = sys.argv[1:]
globals()[which](Terminal(), " ".join(shlex.quote(word) for word in command))
print("holds")
