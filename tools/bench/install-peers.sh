#!/bin/sh
# Installs what the benchmark groups "lwkt" and "syscalls" compare with: Debian packages, by apt-get. What can't be had is said and skipped; what is there
# already is left alone, so that it may be run again. It needs root, or sudo.
#
# Usage: sh tools/bench/install-peers.sh
set -u

# make, a C compiler and a C++ compiler are for our own side and for every peer in C and C++.
PACKAGES='make gcc g++ libboost-context-dev libboost-fiber-dev libpth-dev golang-go fio'

if ! command -v apt-get >/dev/null; then
	echo "install-peers: there is no apt-get here; install by other means: $PACKAGES" >&2
	exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo 'install-peers: neither root nor sudo' >&2
		exit 1
	fi
	as_root=sudo
fi

installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for package in $PACKAGES; do
	installed "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
	echo 'install-peers: everything is there'
	exit 0
fi

# One by one: a package that can't be had must not keep the others away.
$as_root apt-get update -qq || echo 'install-peers: apt-get update failed; trying with the lists that are there' >&2
for package in $missing; do
	if $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null; then
		echo "install-peers: $package installed"
	else
		echo "install-peers: $package can't be had: its rows will be skipped" >&2
	fi
done
