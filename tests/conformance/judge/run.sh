#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: run judges on RDMA devices. Arguments: file for the verdicts, whole or selection,
# devices in one word, judges. The soft-RoCE device rxe0 is made when it is among the devices. Each device
# has an IP address, for rdma_cm.
set -u
verdicts=$1
whole=$2
[ "$whole" = whole ] || whole=
devices=$3
shift 3
# shellcheck source=/dev/null
. /mnt/src/tests/conformance/judge/lib.sh
# The page tests of rdma-core-python, 2 MiB each.
echo 16 >/proc/sys/vm/nr_hugepages
: >"$verdicts"
for device in $devices; do
	gid=
	case $device in
	rxe0)
		gid=1 netdev=tph0 address=198.51.100.1
		ip link add $netdev type dummy
		;;
	mlx5_0) netdev=$(ls /sys/class/infiniband/mlx5_0/device/net) address=192.0.2.1 ;;
	mlx5_1) netdev=$(ls /sys/class/infiniband/mlx5_1/device/net) address=203.0.113.1 ;;
	esac
	ip addr replace "$address/24" dev "$netdev"
	ip link set "$netdev" up
	[ "$device" != rxe0 ] || rdma link add rxe0 type rxe netdev "$netdev"
	for judge; do
		echo "$judge on $device" >&2
		work=$(mktemp -d)
		(
			cd "$work" || exit 1
			# shellcheck source=/dev/null
			. "/mnt/src/tests/conformance/judge/$judge.sh"
		)
		rm -rf "$work"
	done
done
