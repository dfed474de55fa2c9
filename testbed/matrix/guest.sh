#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the runs of ib_write_bw in /mnt/job/plan, then the cells of /mnt/job/cells (plan.py). Leaves
# /mnt/job/rows and /mnt/job/results.
set -eu
status=0
sh /mnt/src/testbed/run/guest.sh || status=1
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/vfio.sh
trap vfio_give_back_all EXIT
trap 'exit 130' INT TERM
for bdf in 0000:00:10.0 0000:00:11.0 0000:00:13.0; do
	vfio_bind $bdf
done
jq -r '[.id, .target, .operation, .hca, (.requested | .st // "-", .st_ext // "-", .ph // 0), .size, .qps, .messages] | join(" ")' \
	/mnt/job/cells >/tmp/cells
/mnt/tests/matrix mlx5_0 0000:00:10.0 0000:00:11.0 0000:00:13.0 </tmp/cells >/tmp/results || status=1
mv /tmp/results /mnt/job/results
exit $status
