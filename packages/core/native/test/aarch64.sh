#!/bin/sh
# Builds the C core and the tests of this folder for aarch64, and runs them on any Linux machine: cross compiler and qemu's user mode.
#
#   aarch64.sh [FLAVOUR...]     plain, sanitized, races (see Makefile); without: plain and sanitized
#
# Where something is missing it says what, beginning with "skipped:", and exits with 0. It installs nothing. On an aarch64 itself `make check`
# should do, which nobody has tried yet.
#
# An emulated process has its limits. qemu has no ptrace, which LeakSanitizer needs: leaks are not looked for. ThreadSanitizer would start the
# program anew if addresses were random, past the emulator: they are not (setarch -R). And qemu on x86-64 shows no reordering that x86-64
# does not do, so that a missing barrier is found by ThreadSanitizer or not at all.
set -eu
cd "$(dirname "$0")"

CC=${CC:-aarch64-linux-gnu-gcc}
CXX=${CXX:-aarch64-linux-gnu-g++}
SYSROOT=${SYSROOT:-/usr/aarch64-linux-gnu} # its C library
QEMU=${QEMU:-$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)}

skip() {
	echo "skipped: $1 is missing (Debian: apt-get install g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)"
	exit 0
}
command -v "$CC" >/dev/null || skip "$CC"
command -v "$CXX" >/dev/null || skip "$CXX"
[ -e "$SYSROOT/lib/ld-linux-aarch64.so.1" ] || skip "the C library for aarch64 in $SYSROOT"
[ -n "$QEMU" ] || skip qemu-aarch64

# scale.c is left out: it measures what memory comes back, and the emulator keeps some of its own for each mapping there ever was. So is
# forked.c: the emulator aborts in the child of a fork that another kernel thread than the first has made.
programs=$(make -s list | tr ' ' '\n' | grep -vxE 'scale|forked' | tr '\n' ' ')

export ASAN_OPTIONS="detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
build() {
	make -s ARCH=aarch64 CC="$CC" CXX="$CXX" BUILD=../../build-test/aarch64 RUN="setarch -R $QEMU -L $SYSROOT" PROGRAMS="$programs" "$@"
}
for flavour in ${*:-plain sanitized}; do
	build -j"$(nproc)" "$flavour"
	build "check-$flavour"
	echo "aarch64, $flavour: all programs have passed"
done
