#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: what ./tph matrix does. Argument: true for its quick form. Leaves plan.json, job/cells for the
# program and job/plan for ib_write_bw.
set -eu
cd /run/tph
jq -n --argjson quick "$1" -f /src/testbed/matrix/plan.jq >plan.json
jq -r '.[] | [.id, .target, .operation, .hca, (.requested | .st // "-", .st_ext // "-", .ph // 0), .size, .qps,
	.messages] | join(" ")' plan.json >job/cells

# run TARGET DEVICE BDF BAR HCA MODE WIDTH ST ST_EXT PH EXPECT, as in testbed/run/plan.sh
runs=0
run()
{
	runs=$((runs + 1))
	echo "$runs $1 $2 $3 $4 $6 $7 $5 $8 $9 ${10} 65536 ${iters:-1000} 0 ${11}" >>job/plan
}
: >job/plan
run gpu gpu0 0000:00:10.0 0 1 table 8 42 48879 2 hint
run gpu gpu0 0000:00:10.0 0 2 table 16 42 48879 2 hint
[ "$1" = false ] || exit 0
for target in 'gpu gpu0 0000:00:10.0 0' 'nvme nvme0 0000:00:11.0 2'; do
	# shellcheck disable=SC2086 # words
	{
		run $target 1 table 8 - - 0 plain
		run $target 1 table 8 7 - 1 hint
		run $target 1 table 8 - 4660 3 plain
		run $target 2 table 16 - 4660 0 hint
		run $target 3 direct 8 255 - 3 hint
		run $target 4 direct 16 - 66 1 hint
		run $target 4 direct 16 17 4660 2 plain
	}
done
iters=50 run qemu-nvme qnvme0 0000:00:13.0 2 1 table 8 - - 0 plain
iters=50 run qemu-nvme qnvme0 0000:00:13.0 2 1 table 8 42 - 2 refused
