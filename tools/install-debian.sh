#!/bin/sh
# Installs Debian packages one by one, by apt-get. What can't be had is said and skipped; what is there already is left alone, so that it may be run again.
# Servers among them are not started. It needs root, or sudo.
#
# Usage: sh tools/install-debian.sh PACKAGE...
set -u

if ! command -v apt-get >/dev/null; then
	echo "install: there is no apt-get here; install by other means: $*" >&2
	exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo 'install: neither root nor sudo' >&2
		exit 1
	fi
	as_root=sudo
fi

installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for package in "$@"; do
	installed "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
	echo 'install: everything is there'
	exit 0
fi

# A package's scripts ask it whether they may start a service: 101 is no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
	$as_root chmod +x "$policy"
	trap '$as_root rm -f "$policy"' EXIT
fi

# One by one: a package that can't be had must not keep the others away.
$as_root apt-get update -qq || echo 'install: apt-get update failed; trying with the lists that are there' >&2
for package in $missing; do
	if $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null; then
		echo "install: $package installed"
	else
		echo "install: $package can't be had: what needs it will be skipped" >&2
	fi
done
