#!/bin/sh
# Checks what a freestanding libcr.a promises: it needs no symbol that is not its own, and no instruction of it uses a vector register, the x87 (but for
# its control word) or the TLS base.
#
#   library.sh LIBRARY.a     exits with 0 where that holds; prints what is wrong and exits with 1 where not
#   library.sh self-test     checks the checker
#
# It reads x86-64. Where nm and objdump are not installed (Debian: binutils) it says so and exits with 77.
set -eu

check() {
	nm "$1" >"$scratch/symbols"
	awk 'NF == 3 { own[$3] = 1 } $1 == "U" { wanted[$2] = 1 }
	END {
		for (name in wanted)
			if (!(name in own) && name != "_GLOBAL_OFFSET_TABLE_") { print "needs " name; failed = 1 } # the linker makes that one
		exit failed
	}' "$scratch/symbols"
	objdump -d --no-show-raw-insn "$1" >"$scratch/code"
	awk '
	/^[0-9a-f]+ <.*>:$/ { name = $2 }
	/^ +[0-9a-f]+:\t/ && /%[xyz]mm|%mm[0-7]|%st|%k[0-7]|%fs/ { print name " " $0; failed = 1 }
	/^ +[0-9a-f]+:\t/ { instructions++ }
	END { if (!failed) print instructions " instructions, nothing from outside"; exit failed || !instructions }' "$scratch/code"
}

# rejects WHAT TEXT: C source on stdin, which must not pass.
rejects() {
	"${CC:-cc}" -O2 -c -x c - -o "$scratch/sample.a"
	if output=$(check "$scratch/sample.a"); then
		echo "self-test: $1 is not found"
		exit 1
	fi
	case $output in
	*"$2"*) ;;
	*) echo "self-test: $1 is found for another reason: $output"; exit 1 ;;
	esac
}

self_test() {
	echo 'int own(void) { return 1; } int other(void) { return own() + 1; }' | "${CC:-cc}" -O2 -fno-inline -c -x c - -o "$scratch/sample.a"
	check "$scratch/sample.a" >"$scratch/output" || { echo 'self-test: what is right is not'; cat "$scratch/output"; exit 1; }
	echo 'void *malloc(unsigned long); void *f(void) { return malloc(3); }' | rejects 'a function from outside' 'needs malloc'
	echo 'double f(double a) { return a * 3; }' | rejects 'a vector register' 'xmm'
	echo 'static __thread int x; int f(void) { return x++; }' | rejects 'the TLS base' '%fs'
	echo 'the checker finds what it is to find'
}

if ! command -v objdump >/dev/null || ! command -v nm >/dev/null; then
	echo 'nm and objdump are not installed (Debian: binutils): the library is not checked'
	exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ "$1" = self-test ]; then
	self_test
else
	check "$1"
fi
