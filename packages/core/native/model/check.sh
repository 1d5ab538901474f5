#!/bin/sh
# Checks the models of this folder with spin, exhaustively: each must hold, and must fail with each of the mistakes that its WRONG_... macros put
# into it. Where spin is not installed (Debian: spin) it says so and exits with 77.
set -eu
cd "$(dirname "$0")"
if ! command -v spin >/dev/null; then
	echo 'spin is not installed (Debian: spin): the models are not checked'
	exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Prints the errors that spin finds in a model: 0 or 1.
errors() {
	(
		cd "$scratch"
		spin $2 -a "$model" >spin.txt || { cat spin.txt >&2; exit 1; }
		cc -O2 -DSAFETY -o pan pan.c
		./pan -m1000000 >pan.txt
		grep -q 'max search depth too small' pan.txt && exit 1
		sed -n 's/.*errors: //p' pan.txt
	)
}

failed=0
# expect MODEL OPTION ERRORS
expect() {
	model=$PWD/$1
	found=$(errors "$model" "$2")
	echo "$1 $2: $found errors"
	[ "$found" = "$3" ] || failed=1
}
for name in *.pml; do
	expect "$name" '' 0
	for mistake in $(grep -o 'WRONG_[A-Z]*' "$name" | sort -u); do
		expect "$name" "-D$mistake" 1
	done
done
exit $failed
