#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the benchmark without a BAR, on the HCA and on soft-RoCE. Leaves perftest's documents
# /mnt/job/host-memory/mlx5.json and rxe.json.
set -eu
# shellcheck source=testbed/run/bandwidth.sh
. /mnt/src/testbed/run/bandwidth.sh
# shellcheck source=testbed/guest/ethernet.sh
. /mnt/src/testbed/guest/ethernet.sh
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
	cp "$work/client.json" "/mnt/job/host-memory/$1.json"
}

echo "host memory: mlx5 and soft-RoCE" >&2
ip link add tph0 type dummy
ip address add 192.0.2.1/24 dev tph0
ip link set tph0 up
rdma link add rxe0 type rxe netdev tph0
status=0
common_args='-s 65536 -n 1000 -F'
mkdir /mnt/job/host-memory
# With another machine its soft-RoCE is the client.
server=mlx5_1 client=mlx5_0 space_device=mlx5_0
[ ! -e /mnt/job/machines ] || server=mlx5_0 client=$(head -n 1 /mnt/job/machines | cut -d ' ' -f 1)
name_space $server || status=1
server_address=$space_address in_server=$space_in mlx5_server="-d $server $space_options"
name_space "$client" || status=1
in_client=$space_in client_machine=$space_machine
host_memory mlx5 "$mlx5_server" "-d $space_device $space_options" || status=1
in_server='' in_client='' server_address='' client_machine=
host_memory rxe '-d rxe0 -x 1' '-d rxe0 -x 1' || status=1
rdma link delete rxe0
exit $status
