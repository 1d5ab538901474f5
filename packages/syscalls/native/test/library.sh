#!/bin/sh
# library.sh - whether the freestanding libcr_syscalls.a stands on the freestanding libcr.a and on nothing else: no C library, no front door, no posix-compat.
#
# Usage: library.sh LIBCR_SYSCALLS LIBCR
# Prints how many functions of libcr.a it uses; says what is missing, and exits with 1. An object with a call of somebody else's is found, too, which it tries first.
set -eu

missing() { # ARCHIVES...: what they use and don't have
	nm -u "$@" | awk 'NF == 2 { print $2 }' | sort -u >"$scratch/used"
	nm --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u >"$scratch/defined"
	comm -23 "$scratch/used" "$scratch/defined" | grep -vx _GLOBAL_OFFSET_TABLE_ || true # which the linker makes
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo 'int wait_call(void); int f(void) { return wait_call(); }' | ${CC:-gcc} -x c -c - -o "$scratch/foreign.o"
[ "$(missing "$scratch/foreign.o" "$2")" = wait_call ] || { echo 'library.sh does not find a call of posix-compat'; exit 1; }
lost=$(missing "$1" "$2")
[ -z "$lost" ] || { echo "from outside: $lost"; exit 1; }
nm -u "$1" | awk 'NF == 2 { print $2 }' | sort -u >"$scratch/used"
nm --defined-only "$2" | awk 'NF == 3 { print $3 }' | sort -u >"$scratch/defined"
echo "$(comm -12 "$scratch/used" "$scratch/defined" | wc -l) functions of libcr.a, nothing else"
