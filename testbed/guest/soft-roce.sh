#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a machine of a topology that has a virtio-net and no device of ours: soft-RoCE on it, and the commands of the first machine, until that one ends.
# /mnt/job has number (N of its addresses 10.8.0.N and fd08::N), and gets kernel, place (a line as in /run/name-spaces of the first machine), and ready.
set -eu
# shellcheck source=testbed/guest/ethernet.sh
. /mnt/src/testbed/guest/ethernet.sh
# shellcheck source=testbed/guest/requests.sh
. /mnt/src/testbed/guest/requests.sh
number=$(cat /mnt/job/number)
mtu=$(sed -n 's/^mtu //p' "/mnt/src/testbed/topologies/$(cat /mnt/job/topology)")
uname -r >/mnt/job/kernel
modprobe -a rdma_rxe rdma_ucm ib_uverbs ib_umad
ip link set eth0 ${mtu:+mtu "$mtu"} up
ip address add "10.8.0.$number/24" dev eth0
ip address add "fd08::$number/64" dev eth0 nodad
rdma link add rxe0 type rxe netdev eth0
tries=300
until gid=$(gid_index rxe0 "$number"); do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || {
		echo "rxe0 has no RoCE v2 GID of 10.8.0.$number" >&2
		exit 1
	}
	sleep 0.1
done
requests_serve rxe0 "10.8.0.$number" "$gid"
