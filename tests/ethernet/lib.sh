# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2086,SC2034 # $in_a and $in_b are words; used by the tests
# Sourced by the tests of the Ethernet port, in the guest: each function's interface in a name space of its own, a
# (10.8.0.1, fd08::1) and b (10.8.0.2, fd08::2), so that what goes from one to the other goes over the switch.

# shellcheck source=tests/rdmacm/lib.sh
. /mnt/src/tests/rdmacm/lib.sh # in_a, in_b, cm_pair
# shellcheck source=testbed/guest/ethernet.sh
. /mnt/src/testbed/guest/ethernet.sh # place, configure
frames='python3 /mnt/src/tests/ethernet/frames.py'

# ethernet: both name spaces, once per boot; they reach each other afterwards.
ethernet()
{
	[ -e /run/netns/b ] || {
		place a hca0 1
		place b hca1 2
	}
	reach
}

reach()
{
	await 60 'ping from a to b' $in_a busybox ping -c 1 -W 1 10.8.0.2
	await 60 'ping from b to a over IPv6' $in_b busybox ping -6 -c 1 -W 1 fd08::1
}

# carrier NAMESPACE: 0 or 1
carrier()
{
	ip netns exec "$1" cat /sys/class/net/eth/carrier
}

# statistic NAMESPACE NAME: as ethtool -S has it.
statistic()
{
	ip netns exec "$1" $frames statistic eth "$2"
}

# stream BYTES [ADDRESS]: as many over TCP from a to b, and back, which must be the same.
stream()
{
	stream_limit=${stream_limit:-300}
	timeout -k 5 "$stream_limit" $in_b $frames serve >served 2>&1 &
	stream_server=$!
	await 60 'a server listens' grep -q LISTENING served
	timeout -k 5 "$stream_limit" $in_a $frames stream "${2:-10.8.0.2}" "$1" || fail "stream: $(cat served)"
	wait "$stream_server" || fail "server: $(cat served)"
}

# gid_index DEVICE PART: of the first GID that has it.
gid_index()
{
	gid_file=$(grep -l "$2" "/sys/class/infiniband/$1/ports/1/gids/"* | head -1)
	[ -n "$gid_file" ] && basename "$gid_file"
}
