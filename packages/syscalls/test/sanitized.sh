#!/bin/sh
# sanitized.sh - runs a command with a native half of @libcr/syscalls that is built with AddressSanitizer and UndefinedBehaviorSanitizer.
#
# Usage: test/sanitized.sh FOLDER COMMAND [ARGS...]
# The native half is made in FOLDER where it isn't there yet, for the node in PATH. Exit status: the command's; 77 where gcc, its sanitizers or Node's
# headers are missing, with a message that says which.
#
# It sees what goes wrong in our code and in memory that malloc gives, which is where Node keeps the data of buffers of more than 64 bytes. What the
# kernel writes by itself it does not see: test/programs/fuzz.mjs has guard bytes for that.
set -eu

folder=$1
shift
package=$(cd "$(dirname "$0")/.." && pwd)
node=$(command -v node)
headers=${npm_config_nodedir:-$(dirname "$(dirname "$(readlink -f "$node")")")}/include/node

missing() {
	echo "sanitized.sh: $1" >&2
	exit 77
}
command -v gcc >/dev/null && command -v g++ >/dev/null || missing 'there is no gcc or g++'
[ -f "$headers/node.h" ] || missing "there are no headers of Node in $headers"
asan=$(gcc -print-file-name=libasan.so)
ubsan=$(gcc -print-file-name=libubsan.so)
[ -f "$asan" ] && [ -f "$ubsan" ] || missing 'gcc has no libasan.so or libubsan.so'

if [ ! -f "$folder/syscalls.node" ]; then
	flags="-c -O1 -g -fPIC -fno-omit-frame-pointer -fvisibility=hidden -fsanitize=address,undefined -fno-sanitize-recover=undefined"
	flags="$flags -DNAPI_VERSION=9 -DNODE_ADDON_API_CPP_EXCEPTIONS_ALL -DBUILDING_NODE_EXTENSION"
	mkdir -p "$folder"
	cd "$package/native"
	for source in node/*.c node/*/*.c src/table/*.c src/ring/*.c src/offload/*.c ../../core/native/src/os/libc.c; do
		gcc -std=gnu11 $flags -I"$headers" -Inode -Isrc -I../../core/native/include -I../../core/native/src -I../../core/native/arch/x86_64 -o "$folder/c_$(echo "$source" | tr / _).o" "$source"
	done
	for source in node/*.cc; do
		g++ -std=gnu++17 $flags -I"$headers" -I"$(cd "$package" && node -p "require.resolve('node-addon-api/package.json').slice(0, -13)")" -Inode -Isrc \
			-I../../core/native/include -I../../core/native/src -o "$folder/cc_$(echo "$source" | tr / _).o" "$source"
	done
	g++ -shared -fsanitize=address,undefined -Wl,-z,nodelete -o "$folder/syscalls.node" "$folder"/*.o
	cd - >/dev/null
fi

# Node itself frees little at its end.
exec env LD_PRELOAD="$asan $ubsan" ASAN_OPTIONS="detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}" UBSAN_OPTIONS=print_stacktrace=1 \
	LIBCR_SYSCALLS_NATIVE="$folder/syscalls.node" "$@"
