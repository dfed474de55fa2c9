#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: run the files of one suite. Each leaves its exit status and log in the job
# directory; a complaint of the kernel during a test fails it.
dir=/mnt/src/tests/$1
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/control.sh
for file in "$dir"/[0-9]*; do
	name=$(basename "$file")
	log=/mnt/job/results/$name.log
	dmesg -c >/dev/null
	status=0
	work=$(mktemp -d)
	(
		cd "$work" || exit 1
		set -eu
		# shellcheck source=/dev/null
		. /mnt/src/testbed/guest/vfio.sh
		# shellcheck source=/dev/null
		. /mnt/src/tests/guest-lib.sh
		trap vfio_give_back_all EXIT
		# shellcheck source=/dev/null
		. "$file"
	) >"$log" 2>&1 || status=$?
	rm -rf "$work"
	if ! dmesg | sh /mnt/src/testbed/dmesg-scan.sh "$file" >>"$log" && [ "$status" -eq 0 ]; then
		status=1
	fi
	echo "$status" >"/mnt/job/results/$name"
	echo "  $name: $status" >&2
done
