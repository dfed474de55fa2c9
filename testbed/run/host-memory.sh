#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the benchmark without a BAR, on the HCA and on soft-RoCE. Leaves
# /mnt/job/host-memory.json.
set -eu
# shellcheck source=testbed/run/bandwidth.sh
. /mnt/src/testbed/run/bandwidth.sh
work=$(mktemp -d)

# host_memory DEVICE SERVER-ARGS CLIENT-ARGS: the same benchmark without a BAR, for comparison.
host_memory()
{
	server_args=$2 client_args=$3
	bandwidth
	if [ "$server_status" -ne 0 ] || [ "$client_status" -ne 0 ]; then
		bandwidth_messages
		return 1
	fi
	jq -n --arg device "$1" --argjson size "$host_size" --argjson iters "$host_iters" \
		--argjson bw "$(megabytes "$work/client.json")" \
		'{device: $device, program: "ib_write_bw", size: $size, iters: $iters, bw_avg_MBps: $bw}'
}

echo "host memory: mlx5 and soft-RoCE" >&2
ip link add tph0 type dummy
ip address add 192.0.2.1/24 dev tph0
ip link set tph0 up
rdma link add rxe0 type rxe netdev tph0
status=0
host_size=65536 host_iters=1000
common_args="-s $host_size -n $host_iters -F"
host_memory mlx5 '-d mlx5_1' '-d mlx5_0' >"$work/host" || status=1
host_memory rxe '-d rxe0 -x 1' '-d rxe0 -x 1' >>"$work/host" || status=1
jq -s . "$work/host" >/mnt/job/host-memory.json
rdma link delete rxe0
exit $status
