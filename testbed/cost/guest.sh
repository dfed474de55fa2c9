#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: what hints cost. Arguments: runs, most regions, and "all", or nothing to do only what is
# compared with another kernel. Leaves in /mnt/job: pairs, lines of JSON; many, a file of such lines for each
# device; perftest, the document of each run.
set -eu
runs=$1 most=$2 all=${3:-}
# shellcheck source=testbed/guest/control.sh
. /mnt/src/testbed/guest/control.sh
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/vfio.sh
# shellcheck source=testbed/run/bandwidth.sh
. /mnt/src/testbed/run/bandwidth.sh
gpu=$(bdf_of gpu0)
work=$(mktemp -d)
trap vfio_give_back_all EXIT
trap 'exit 130' INT TERM
vfio_bind "$gpu"

mkdir /mnt/job/many /mnt/job/perftest
echo "registration: $runs runs" >&2
/mnt/tests/cost pairs mlx5_1 "$gpu" "$runs" >"$work/pairs"
cp "$work/pairs" /mnt/job/pairs
[ -n "$all" ] || exit 0

# The most regions with one of them: all tables are as large, and without one it is the same at any number.
for device in mlx5_1 mlx5_2 mlx5_3; do
	echo "many regions of $device" >&2
	/mnt/tests/cost many $device "$gpu" "$most" 5 >"$work/many"
	[ "$most" -le 1024 ] || most=1024
	cp "$work/many" /mnt/job/many/$device
done

# measure KIND SIZE MESSAGES: ib_write_bw into the BAR.
measure()
{
	common_args="-s $2 -n $3 -F -m 4096"
	server_args="-d mlx5_1 --use_vfio=$gpu --vfio_bar=0"
	[ "$1" = none ] || server_args="$server_args --dmabuf-tph=st=42,ph=2"
	client_args='-d mlx5_0'
	bandwidth
	if [ "$server_status" -ne 0 ] || [ "$client_status" -ne 0 ]; then
		bandwidth_messages
		return 1
	fi
	cp "$work/client.json" "/mnt/job/perftest/$run-$1-$2.json"
}

for run in $(seq "$runs"); do
	echo "ib_write_bw, run $run of $runs" >&2
	# Who comes first changes.
	first=none second=ST
	[ $((run % 2)) -eq 0 ] || first=ST second=none
	for kind in $first $second; do
		measure "$kind" 65536 1000
		measure "$kind" 8 2000
	done
done
