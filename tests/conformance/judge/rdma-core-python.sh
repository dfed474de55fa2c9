# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # variables of run.sh
# rdma-core's python tests, all modules. Those of our series want an endpoint that vfio-pci has, whose BAR is exported.
# shellcheck source=testbed/guest/vfio.sh
. /mnt/src/testbed/guest/vfio.sh
endpoint=
[ "$device" = rxe0 ] || endpoint=$(sed -n 's/^gpu0 //p' /run/tph-places)
[ -z "$endpoint" ] || vfio_bind "$endpoint" || endpoint=
# An HCA stays in the first name space for devlink, wherever its interface is: tests ask there whether RoCE is enabled.
mkdir bin
printf '#!/bin/sh\nexec nsenter --net --target 1 %s "$@"\n' "$(command -v devlink)" >bin/devlink
chmod +x bin/devlink
PATH=$PWD/bin:$PATH
tests=/usr/share/rdma-core/tests
status=0
# shellcheck disable=SC2046 # names of modules have no blanks
timeout -k 10 3000 python3 /mnt/src/tests/rdma-core/ktap.py $tests \
	$(basename -s .py -a $tests/test_*.py) -- --dev "$device" --port 1 ${gid:+--gid "$gid"} \
	${endpoint:+--vfio-dev "$endpoint"} \
	>ktap 2>log </dev/null || status=$?
vfio_give_back_all
awk '
	/^# / { cause = substr($0, 3); next }
	!/^(not )?ok / { next }
	{
		verdict = /^not / ? "fail" : "pass"
		sub(/^(not )?ok [0-9]+ /, "")
		if (at = index($0, " # SKIP ")) {
			verdict = "skip"
			cause = substr($0, at + 8)
			$0 = substr($0, 1, at - 1)
		} else if (verdict == "pass") {
			cause = ""
		}
		print verdict "\t" $0 "\t" cause
	}' ktap >cases
while IFS=$tab read -r word name cause; do
	# These want the steering tag of a CPU. It is the firmware's to give, by a _DSM for the root port
	# above the device, and QEMU's root ports are no TPH completers.
	case "$word $name: $cause" in
	'fail test_dmah.'*': '*'Failed to create DMA Handle. Errno: 19,'*)
		word=skip
		cause='no steering tags of CPUs on this platform (ENODEV)'
		;;
	esac
	verdict "$word" "$name" "$cause"
done <cases
# An interpreter that crashes says nothing of the cases after it.
planned=$(sed -n 's/^1\.\.//p' ktap)
[ "$(wc -l <cases)" = "$planned" ] ||
	verdict fail interpreter "status $status, not all of ${planned:-the} tests: $(tail -n 3 log | tr '\n\t' '; ')"
