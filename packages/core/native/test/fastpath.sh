#!/bin/sh
# Disassembles the library and checks what lwkt.h promises of the same-CPU fast path: no atomic read-modify-write and no fence is reachable from
# its functions without passing one that deals with another rfork. It follows every direct call and jump into another function.
#
#   fastpath.sh LIBRARY.so      exits with 0 where that holds; prints what is wrong and exits with 1 where not
#   fastpath.sh self-test       checks the checker: it must find an atomic operation that is put in, and whatever else it is there to find
#
# What can't be followed is named here, each with its reason:
#   root FUNCTION               the fast path begins here
#   boundary FUNCTION           not looked into: it is called only where another rfork, or a new kernel task, is dealt with. One that
#                               nothing reaches is an error
#   indirect FUNCTION TARGETS   may call through a pointer; those TARGETS (none: functions of the library's user) are roots as well
#   outside FUNCTION            of the C library, and so not looked into
#   never FUNCTION              must not be reached at all
#
# The same is done once more, for tracing and the count of CPU time (watch.c): neither can be reached from a switch or a message, so that these don't even look
# whether anybody watches. A thread's beginning and end, and what deals with other rforks, do look.
#
# It reads x86-64. Where objdump is not installed (Debian: binutils) it says so and exits with 77.
set -eu

fastpath='
# Threads.
root lwkt_create
root lwkt_exit
root lwkt_join
root lwkt_schedule
root lwkt_deschedule_self
root lwkt_switch
root lwkt_yield
root lwkt_block
root lwkt_block_timed
root lwkt_nanosleep
root lwkt_next_timer
root lwkt_setpri
root lwkt_dispatch
root lwkt_arch_switch
root lwkt_light_switch
root lwkt_arch_start
root lwkt_resident_adopt
root lwkt_resident_park
# Messages.
root lwkt_sendmsg
root lwkt_domsg
root lwkt_forwardmsg
root lwkt_replymsg
root lwkt_getport
root lwkt_waitport
root lwkt_waitport_timed
root lwkt_waitmsg
root lwkt_waitmsg_timed
root lwkt_checkmsg
# Tokens.
root lwkt_gettoken
root lwkt_gettoken_shared
root lwkt_trytoken
root lwkt_reltoken

# Sends an IPI message to another rfork; runs those that have come; waits for one when nobody can run.
boundary send_away
boundary run_incoming
boundary lwkt_ipiq_idle
# A thread that somebody holds (lwkt_hold): one of another rfork, to be scheduled; one that has ended.
boundary ask_held
boundary leave_to_holders
# A port without an owner, for whoever is in its serializer.
boundary lwkt_serialize_held

# The next thread: by td_switch (the compiler puts `leave` into its callers where it likes), or on the next stack.
indirect leave lwkt_arch_switch lwkt_light_switch
indirect lwkt_switch lwkt_arch_switch lwkt_light_switch
indirect lwkt_dispatch lwkt_arch_switch lwkt_light_switch
indirect lwkt_wait_once lwkt_arch_switch lwkt_light_switch
indirect lwkt_block lwkt_arch_switch lwkt_light_switch
indirect lwkt_resident_park lwkt_arch_switch lwkt_light_switch
indirect lwkt_light_switch
# What the user brings: a main, the function of a thread or of an IPI message to oneself, what is to be called when a thread has no stack.
indirect lwkt_arch_start lwkt_stack_main
indirect lwkt_stack_main plain_main
indirect plain_main
indirect lwkt_thread_finish
indirect lwkt_send_ipiq
indirect lwkt_exit
# A thread port.
indirect lwkt_sendmsg thread_putport
indirect lwkt_domsg thread_putport
indirect lwkt_forwardmsg thread_putport
indirect lwkt_replymsg thread_replyport null_replyport
indirect lwkt_getport lwkt_port_next
indirect lwkt_waitport thread_waitport
indirect lwkt_waitport_timed thread_waitport lwkt_port_next
indirect lwkt_waitmsg thread_waitmsg

# Memory for what is new; the clock, at every 16th switch of a pass with an end.
outside malloc
outside calloc
outside free
outside mmap
outside madvise
outside mprotect
outside munmap
outside memset
outside memcpy
outside strnlen
outside __errno_location
outside clock_gettime
outside sysconf
'

# The roots that are neither a thread's first steps nor its last; arrivals from other rforks are another rfork's affair.
untraced=$(printf '%s\n' "$fastpath" | grep -v -e '^root lwkt_arch_start' -e '^root lwkt_resident_' -e '^root lwkt_exit')'
boundary lwkt_migrate_finish
never lwkt_trace_thread
never lwkt_trace_ipi
never lwkt_trace_switch
never lwkt_trace_switch_to
never lwkt_cputime_charge
never lwkt_watch_begins
never lwkt_watch_ends
never lwkt_watch_sleeps
'

# check LIBRARY LIST
check() {
	objdump -d --no-show-raw-insn "$1" >"$scratch/code"
	printf '%s\n' "$2" >"$scratch/list"
	awk '
	function fail(text) { print text; failed = 1 }
	# The name that the source has: the compiler makes copies and parts of functions.
	function plain(name) { sub(/\.(constprop|isra|part|cold|lto_priv).*/, "", name); return name }
	function visit(name, from) {
		if (name in seen)
			return
		if (plain(name) in boundary) { reached[plain(name)] = 1; return }
		seen[name] = from
		queue[queued++] = name
	}
	function path(name,  text) {
		for (text = name; seen[name] != ""; text = name " -> " text)
			name = seen[name]
		return text
	}
	FNR == NR {
		if ($1 == "root") root[$2] = 1
		if ($1 == "boundary") boundary[$2] = 1
		if ($1 == "outside") outside[$2] = 1
		if ($1 == "never") never[$2] = 1
		if ($1 == "indirect") {
			indirect[$2] = " "
			for (i = 3; i <= NF; i++) indirect[$2] = indirect[$2] $i " "
		}
		next
	}
	/^[0-9a-f]+ <.*>:$/ { name = substr($2, 2, length($2) - 3); exists[name] = exists[plain(name)] = 1; next }
	/^ +[0-9a-f]+:\t/ {
		code = $0
		sub(/^[^\t]*\t/, "", code)
		if (code ~ /(^| )lock($| )/ || code ~ /^[mls]fence/ || code ~ /xchg[a-z]* .*\(/ || code ~ /^(xacquire|xrelease|serialize)/)
			atomic[name] = atomic[name] "\n    " code
		if (code ~ /^(notrack |bnd )*(call|jmp)[a-z]* +\*/)
			pointer[name] = pointer[name] "\n    " code
		if (code ~ /^[a-z, ]*(call|j[a-z]+) +[0-9a-f]+ </) {
			sub(/^[^<]*</, "", code)
			sub(/(\+0x[0-9a-f]+)?>.*/, "", code)
			if (code != name)
				calls[name] = calls[name] " " code
		}
	}
	END {
		for (name in root)
			if (name in exists) visit(name, "")
			else fail("there is no function " name)
		for (i = 0; i < queued; i++) {
			name = queue[i]
			if (name ~ /@plt$/) {
				callee = substr(name, 1, length(name) - 4)
				if (!(callee in outside)) fail(path(name) ": a function from outside that is not listed")
				continue
			}
			if (plain(name) in never)
				fail(path(name) ": is reached")
			if (name in atomic)
				fail(path(name) ": atomic operations or fences" atomic[name])
			if (name in pointer) {
				if (!(plain(name) in indirect)) fail(path(name) ": a call through a pointer that is not listed" pointer[name])
				n = split(indirect[plain(name)], targets, " ")
				for (k = 1; k <= n; k++)
					if (targets[k] in exists) visit(targets[k], name)
					else fail("there is no function " targets[k])
			}
			n = split(calls[name], targets, " ")
			for (k = 1; k <= n; k++)
				visit(targets[k], name)
		}
		for (name in never) if (!(name in exists)) fail("there is no function " name)
		for (name in boundary) if (!(name in reached)) fail("boundary " name " is not reached")
		if (!failed) print queued " functions, no atomic operation"
		exit failed
	}' "$scratch/list" "$scratch/code"
}

# rejects WHAT LIST: the sample must not pass with that list.
rejects() {
	if output=$(check "$scratch/sample.so" "$2"); then
		echo "self-test: $1 is not found"
		exit 1
	fi
	case $output in
	*"$3"*) ;;
	*) echo "self-test: $1 is found for another reason: $output"; exit 1 ;;
	esac
}

self_test() {
	cat >"$scratch/sample.c" <<'END'
#include <stdatomic.h>
#include <stdlib.h>
#define APART __attribute__((noipa, visibility("hidden")))
extern _Atomic int word;
_Atomic int word;
int (*pointer)(int);
APART int helper(int n) { return atomic_fetch_add(&word, n); }
APART int by_helper(int n) { return helper(n) + 1; }
APART int by_jump(int n) { return helper(n); }
APART void stores(int n) { atomic_store(&word, n); }
APART void fences(void) { atomic_thread_fence(memory_order_seq_cst); }
APART int by_pointer(int n) { return pointer(n) + 1; }
APART void *by_outside(size_t n) { return malloc(n); }
APART int other_rfork(int n) { return helper(n); }
APART int clean(int n) { return n & 1 ? other_rfork(n) + 1 : n + atomic_load_explicit(&word, memory_order_acquire); }
int all(int n);
int all(int n)
{
	stores(n);
	fences();
	return by_helper(n) + by_jump(n) + by_pointer(n) + clean(n) + (by_outside((size_t)n) != NULL);
}
END
	"${CC:-cc}" -O2 -shared -fPIC "$scratch/sample.c" -o "$scratch/sample.so"
	check "$scratch/sample.so" 'root clean
boundary other_rfork' >"$scratch/output" || { echo 'self-test: a boundary does not count'; cat "$scratch/output"; exit 1; }
	rejects 'an atomic operation in a function that is called' 'root by_helper' 'by_helper -> helper: atomic'
	rejects 'what must not be reached' 'root clean
boundary helper
never other_rfork' 'clean -> other_rfork: is reached'
	rejects 'a function never to be reached that does not exist' 'root by_pointer
indirect by_pointer
never nowhere' 'no function nowhere'
	rejects 'an atomic operation after a jump' 'root by_jump' 'by_jump -> helper: atomic'
	rejects 'a sequentially consistent store' 'root stores' 'stores: atomic'
	rejects 'a fence' 'root fences' 'fences: atomic'
	rejects 'a call through a pointer' 'root by_pointer' 'through a pointer'
	rejects 'an atomic operation behind a pointer' 'root by_pointer
indirect by_pointer helper' 'by_pointer -> helper: atomic'
	rejects 'a function from outside' 'root by_outside' 'from outside'
	rejects 'a function that does not exist' 'root nowhere' 'no function nowhere'
	rejects 'a boundary that nothing reaches' 'root by_pointer
indirect by_pointer
boundary helper' 'is not reached'
	echo 'the checker finds what it is to find'
}

if ! command -v objdump >/dev/null; then
	echo 'objdump is not installed (Debian: binutils): the fast path is not checked'
	exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ "$1" = self-test ]; then
	self_test
else
	check "$1" "$fastpath"
	check "$1" "$untraced"
fi
