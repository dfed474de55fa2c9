# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2086 # $in_a and $in_b are words
# Sourced by the tests of rdma_cm, in the guest: each HCA function's IPoIB interface in a name space of its
# own, a (10.7.0.1, fd07::1) and b (10.7.0.2, fd07::2), so that what goes from one to the other goes over
# the emulated fabric.

in_a='ip netns exec a'
in_b='ip netns exec b'

# netdev_of DEVICE: the IPoIB interface of an RDMA device, in the name space where it is now.
netdev_of()
{
	ls "/sys/class/infiniband/$1/device/net"
}

# place NAMESPACE DEVICE NUMBER
place()
{
	place_netdev=$(netdev_of "$2")
	ip netns add "$1"
	ip link set "$place_netdev" netns "$1"
	ip -n "$1" link set "$place_netdev" name ib
	ip -n "$1" addr add "10.7.0.$3/24" dev ib
	ip -n "$1" addr add "fd07::$3/64" dev ib nodad
	ip -n "$1" link set lo up
	ip -n "$1" link set ib up
}

# fabric: both name spaces, once per boot; they reach each other afterwards.
fabric()
{
	[ -e /run/netns/b ] || {
		place a mlx5_0 1
		place b mlx5_1 2
	}
	await 60 'ping from a to b' $in_a busybox ping -c 1 -W 1 10.7.0.2
	await 60 'ping from b to a over IPv6' $in_b busybox ping -6 -c 1 -W 1 fd07::1
}

# cm_pair PORT SERVER-COMMAND CLIENT-COMMAND: the server in b, the client in a; both must succeed. What they
# print is in the files server and client. $cm_limit: seconds.
cm_pair()
{
	pair_seconds=${cm_limit:-}
	both_succeed "serves $1" "$in_b $2" "$in_a $3"
}

# cases NAME...: each was seen to pass.
cases()
{
	for cases_name; do
		echo "pass $cases_name" >>"$TPH_CASES"
	done
}
