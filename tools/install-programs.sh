#!/bin/sh
# Installs the programs that posix-compat's tests run under libcr: Debian packages (tools/install-debian.sh). A test whose program is not there is skipped.
#
# Usage: sh tools/install-programs.sh

exec sh "$(dirname "$0")/install-debian.sh" \
	xz-utils pigz zstd sqlite3 python3 perl make gcc g++ git ripgrep musl-tools strace gdb \
	redis-server redis-tools memcached nginx-light apache2-utils ruby imagemagick ffmpeg golang-go default-jdk-headless postgresql nats-server
