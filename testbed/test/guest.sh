#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: run files of one suite. Arguments: suite, names of files. Each leaves its exit status,
# its log and its cases in the job directory; a complaint of the kernel during a test fails it. So do
# leaks after the last one, where the kernel can find them.
dir=/mnt/src/tests/$1
results=/mnt/job/results
shift
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/control.sh
# One error would be enough for the DMA API's debugging otherwise.
[ ! -e /sys/kernel/debug/dma-api/all_errors ] || echo 1 >/sys/kernel/debug/dma-api/all_errors
if [ -e /sys/kernel/debug/kcsan ]; then
	sed -e 's/[[:space:]]*#.*//' -e '/^$/d' /mnt/src/testbed/guest/kcsan-explained | while read -r function; do
		echo "!$function" >/sys/kernel/debug/kcsan || exit 1
	done || exit 1
fi
for name; do
	file=$dir/$name
	log=$results/$name.log
	export TPH_CASES="$results/$name.cases"
	dmesg -c >/dev/null
	status=0
	work=$(mktemp -d)
	(
		cd "$work" || exit 1
		set -eu
		# shellcheck source=/dev/null
		. /mnt/src/testbed/guest/vfio.sh
		# shellcheck source=/dev/null
		. /mnt/src/testbed/test/guest-lib.sh
		trap vfio_give_back_all EXIT
		# shellcheck source=/dev/null
		. "$file"
	) >"$log" 2>&1 || status=$?
	rm -rf "$work"
	if ! dmesg | sh /mnt/src/testbed/guest/dmesg-scan.sh "$file" >>"$log" && [ "$status" -eq 0 ]; then
		status=1
	fi
	echo "$status" >"$results/$name"
	echo "  ${dir##*/}/$name: $status" >&2
done
if [ -e /sys/kernel/debug/kmemleak ]; then
	status=0
	sh /mnt/src/testbed/guest/kmemleak-scan.sh >$results/kmemleak.log 2>&1 || status=$?
	echo "$status" >$results/kmemleak
	echo "  kmemleak: $status" >&2
fi
