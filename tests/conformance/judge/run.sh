#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: run judges on RDMA devices. Arguments: file for the verdicts, whole or selection,
# devices in one word, judges. The soft-RoCE device rxe0 is made when it is among the devices. Each device
# has an IP address, for rdma_cm. Judges of an HCA with an Ethernet port run in its name space (testbed/guest/ethernet.sh).
set -u
verdicts=$1
whole=$2
[ "$whole" = whole ] || whole=
devices=$3
shift 3
# shellcheck source=/dev/null
. /mnt/src/tests/conformance/judge/lib.sh
# shellcheck source=testbed/guest/ethernet.sh
. /mnt/src/testbed/guest/ethernet.sh

# prepare: $link_layer, $address, $gid and $space_in of $device
prepare()
{
	gid='' space_in=''
	if [ "$device" = rxe0 ]; then
		link_layer=Ethernet gid=1
		address=198.51.100.1
		ip link add tph0 type dummy
		ip addr replace $address/24 dev tph0
		ip link set tph0 up
		rdma link add rxe0 type rxe netdev tph0
		return
	fi
	link_layer=$(cat "/sys/class/infiniband/$device/ports/1/link_layer") || return
	if [ "$link_layer" = Ethernet ]; then
		[ -e "$name_spaces" ] || {
			echo "$device: its port is Ethernet, and has no name space" >&2
			return 1
		}
		name_space "$device" || return
		address=$space_address gid=$space_gid
		return
	fi
	case $device in
	mlx5_0) address=192.0.2.1 ;;
	*) address=203.0.113.1 ;;
	esac
	netdev=$(ls "/sys/class/infiniband/$device/device/net")
	ip addr replace "$address/24" dev "$netdev"
	ip link set "$netdev" up
}

# Where devices are, for judges. Who called this may have the port of questions open, and then has asked.
[ -e /run/tph-places ] || {
	# shellcheck source=testbed/guest/control.sh
	. /mnt/src/testbed/guest/control.sh
	bdf_ask || exit
}
# The page tests of rdma-core-python, 2 MiB each.
echo 16 >/proc/sys/vm/nr_hugepages
: >"$verdicts"
for device in $devices; do
	prepare || exit
	for judge; do
		echo "$judge on $device, $link_layer" >&2
		work=$(mktemp -d)
		(
			cd "$work" || exit 1
			export judge device link_layer gid address whole verdicts
			# How the last command of a judge ended is not what became of the judge: true.
			# shellcheck disable=SC2086,SC2016 # words; the other shell expands it
			exec $space_in sh -uc '. /mnt/src/tests/conformance/judge/lib.sh; . "$0"; true' "/mnt/src/tests/conformance/judge/$judge.sh"
		) || verdict fail judge "its shell ended early, with status $?"
		rm -rf "$work"
	done
done
