#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: run judges on RDMA devices. Arguments: file for the verdicts, whole or selection,
# devices in one word, judges. The soft-RoCE device rxe0 is made when it is among the devices.
set -u
verdicts=$1
whole=$2
[ "$whole" = whole ] || whole=
devices=$3
shift 3
rxe_netdev=tph0
rxe_address=198.51.100.1
# shellcheck source=/dev/null
. /mnt/src/tests/conformance/judge/lib.sh
case " $devices " in
*' rxe0 '*)
	ip link add $rxe_netdev type dummy
	ip addr add $rxe_address/24 dev $rxe_netdev
	ip link set $rxe_netdev up
	rdma link add rxe0 type rxe netdev $rxe_netdev
	;;
esac
: >"$verdicts"
for device in $devices; do
	gid=
	[ "$device" != rxe0 ] || gid=1
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
