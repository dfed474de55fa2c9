#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a source package's tree: give it the version of a rebuild for an older Debian release, which sorts
# below that for the current one, and the distribution that goes with it. Argument: the release.
set -eu
case $1 in
trixie) ;;
bookworm) sed -i '1s/)[^;]*;/~bpo12+1) bookworm-backports;/' debian/changelog ;;
*)
	echo "no version for packages of Debian $1" >&2
	exit 1
	;;
esac
