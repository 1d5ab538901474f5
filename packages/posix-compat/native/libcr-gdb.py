# libcr-gdb.py - gdb's view of lwps: what the program takes for its threads, and gdb sees as one thread for each rfork.
#
#   info lwps               all of them: tid, name, what each waits for, where it is
#   lwp TID [COMMAND]       COMMAND (bt, if there is none) with that lwp's registers
#   lwp all [COMMAND]       the same for each
#
# It stands beside the launcher, where gdb loads it by itself if the folder is in auto-load safe-path; else: source .../libcr-gdb.py.
#
# The program's own symbols are added to the launcher's at the first of these commands.
#
# While COMMAND runs, the selected kernel thread has the registers that the lwp had when it came into libcr; afterwards its own again. So it needs a process, not a core.
import os

import gdb

REGISTERS = ["r15", "r14", "r13", "r12", "rbp", "rbx", "r10", "r9", "r8", "rax", "rdx", "rsi", "rdi", "rip", "rsp"]
TDF_RUNNING = 0x1
TDF_FRESH = 0x80


known = set()  # processes whose program gdb has been told of


def add_program():
    """Tells gdb of the program: for it, the launcher is what runs. Its libraries it finds."""
    pid = gdb.selected_inferior().pid
    if pid in known or pid == 0:
        return
    known.add(pid)
    path = os.path.realpath(gdb.parse_and_eval("(char *)program_exe").string(errors="replace"))
    try:
        with open(path, "rb") as file:
            lies_anywhere = file.read(17)[16] == 3  # ET_DYN
        with open("/proc/%d/maps" % pid) as maps:
            starts = [int(line.split("-")[0], 16) for line in maps if line.rstrip("\n").endswith(" " + path)]
    except OSError:
        return
    if starts:
        offset = starts[0] if lies_anywhere else 0
        gdb.execute("add-symbol-file '%s' -o %#x" % (path, offset), to_string=True)


def lwps():
    """The lwps of the process, the newest first, as gdb has linked them: the oldest is the program's main thread."""
    lwp = gdb.parse_and_eval("program_proc.p_lwps")
    while int(lwp) != 0:
        yield lwp
        lwp = lwp["lwp_next"]


def thread(lwp):
    """Its userthread."""
    return lwp["lwp_td"].cast(gdb.lookup_type("struct lwkt_thread").pointer())


def trapframe(lwp):
    """What it had in its registers when it came into libcr; None where it is not there."""
    td = thread(lwp)
    if int(lwp["lwp_kstack"]) == 0 or int(td) == 0 or int(td["td_flags"]) & TDF_FRESH:
        return None
    kind = gdb.lookup_type("struct trapframe")
    return (lwp["lwp_kstack"] - kind.sizeof).cast(kind.pointer())


def computes(lwp):
    """Whether its registers are a kernel thread's now: it runs, and not in libcr."""
    td = thread(lwp)
    if int(td) == 0 or not int(td["td_flags"]) & TDF_RUNNING:
        return False
    begin, end = (int(gdb.parse_and_eval("(unsigned long)&" + name)) for name in ("program_text", "program_text_end"))
    return not begin <= int(gdb.newest_frame().read_register("rip")) < end


def waits_for(lwp):
    td = thread(lwp)
    if int(td) == 0:
        return ""
    if int(td["td_flags"]) & TDF_RUNNING:
        return "runs"
    return "" if int(td["td_wmesg"]) == 0 else td["td_wmesg"].string(errors="replace")


def name_of(lwp):
    name = lwp["lwp_comm"].string(errors="replace").split("\0")[0]
    return name or "(main)"


def place(address):
    text = gdb.execute("info symbol %#x" % address, to_string=True).strip()
    return "%#x" % address if text.startswith("No symbol") else text.split(" in section")[0]


class InfoLwps(gdb.Command):
    """The lwps of a program under libcr: tid, name, what each waits for, where it is."""

    def __init__(self):
        super().__init__("info lwps", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        add_program()
        print("%10s  %-16s %-20s %s" % ("TID", "NAME", "WAITS FOR", "AT"))
        for lwp in lwps():
            tf = trapframe(lwp)
            if tf is None:
                at = "(it has not begun)"
            elif computes(lwp):
                at = "(it computes: see info threads)"
            else:
                at = place(int(tf["tf_rip"]))
            print("%10d  %-16s %-20s %s" % (int(lwp["lwp_tid"]), name_of(lwp), waits_for(lwp), at))


def with_registers(tf, command):
    frame = gdb.newest_frame()
    frame.select()
    before = {name: int(frame.read_register(name)) for name in REGISTERS}
    try:
        for name in REGISTERS:
            gdb.execute("set $%s = %d" % (name, int(tf["tf_" + name])))
        gdb.newest_frame().select()
        gdb.execute(command)
    finally:
        gdb.newest_frame().select()
        for name in REGISTERS:
            gdb.execute("set $%s = %d" % (name, before[name]))
        gdb.newest_frame().select()


class Lwp(gdb.Command):
    """lwp TID|all [COMMAND]: COMMAND (bt, if there is none) with an lwp's registers."""

    def __init__(self):
        super().__init__("lwp", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        which, _, command = argument.strip().partition(" ")
        if which != "all" and not which.isdigit():
            raise gdb.GdbError("lwp TID|all [COMMAND]; info lwps says which there are")
        add_program()
        chosen = [lwp for lwp in lwps() if which == "all" or int(lwp["lwp_tid"]) == int(which)]
        if not chosen:
            raise gdb.GdbError("there is no lwp %s" % which)
        for lwp in chosen:
            print("\nlwp %d \"%s\"%s" % (int(lwp["lwp_tid"]), name_of(lwp), ", " + waits_for(lwp) if waits_for(lwp) else ""))
            tf = trapframe(lwp)
            if tf is None:
                print("it has not begun")
            elif computes(lwp):
                print("it computes: see thread apply all bt")
            else:
                with_registers(tf, command or "bt")


InfoLwps()
Lwp()
