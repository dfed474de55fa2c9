#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the runs of ib_write_bw in /mnt/job/plan, then the cells of /mnt/job/cells.words (plan.py). Leaves
# /mnt/job/rows and /mnt/job/results.
set -eu
status=0
sh /mnt/src/testbed/run/guest.sh || status=1
# shellcheck source=testbed/guest/control.sh
. /mnt/src/testbed/guest/control.sh
# shellcheck source=testbed/guest/vfio.sh
. /mnt/src/testbed/guest/vfio.sh
trap vfio_give_back_all EXIT
trap 'exit 130' INT TERM
targets=
for name in gpu0 nvme0 qnvme0; do
	bdf=$(bdf_of $name)
	vfio_bind "$bdf"
	targets="$targets $bdf"
done
# shellcheck disable=SC2086 # a list
/mnt/tests/matrix mlx5_0 $targets </mnt/job/cells.words >/tmp/results || status=1
mv /tmp/results /mnt/job/results
exit $status
