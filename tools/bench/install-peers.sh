#!/bin/sh
# Installs what the benchmark groups "lwkt" and "syscalls" compare with: Debian packages (tools/install-debian.sh). What can't be had is skipped by its rows.
#
# Usage: sh tools/bench/install-peers.sh

# make, a C compiler and a C++ compiler are for our own side and for every peer in C and C++.
exec sh "$(dirname "$0")/../install-debian.sh" make gcc g++ libboost-context-dev libboost-fiber-dev libpth-dev golang-go fio
