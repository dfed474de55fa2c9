#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The manual page's example on the machine of fake_vfio.h: a hint that is taken, one that is not, and a
# device that is not there.
set -u
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export FAKE_VFIO_ROOT="$dir/machine"
failed=0

# expect STATUS TEXT COMMAND...
expect() {
	status=$1 text=$2
	shift 2
	out=$("$@" 2>&1)
	got=$?
	[ "$got" = "$status" ] && [ "$out" = "$text" ] && return
	printf 'FAIL: %s\n  got %s, wanted %s and "%s"\n%s\n' "$*" "$got" "$status" "$text" "$out"
	failed=1
}

expect 0 "0000:00:05.0 (iommufd): 1048576 bytes exported with the hint" "$1" 0000:00:05.0
expect 1 "0000:00:05.0: attaching the steering hint failed: Operation not supported (EOPNOTSUPP): its driver, or the path to it, takes none" \
	env FAKE_VFIO_HINT_ERRNO=95 "$1" 0000:00:05.0
expect 1 "0000:00:06.0: no such PCI device" "$1" 0000:00:06.0
exit $failed
