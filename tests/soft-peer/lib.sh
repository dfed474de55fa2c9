# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2086,SC2034,SC2154 # words; used by the tests; set by pair_run
# Sourced by the tests with a second machine, in the guest that has the HCA. $in_hca and $in_peer are the words before a command of either side, $hca and
# $peer their addresses, $hca_device and $peer_device the RDMA devices, $hca_gid and $peer_gid the indices of the GIDs of these addresses.

# shellcheck source=testbed/guest/ethernet.sh
. /mnt/src/testbed/guest/ethernet.sh
name_space right
in_peer=$space_in peer=$space_address peer_gid=$space_gid peer_device=$space_device peer_options=$space_options
# The first function.
read -r name hca_device _ </run/name-spaces
name_space "$name"
in_hca=$space_in hca=$space_address hca_gid=$space_gid hca_options=$space_options
pair_seconds=200
peer_is=soft-RoCE

# both_ways PROGRAM OPTIONS: perftest, its server the HCA, then the peer. $port is one that nobody has used.
port=18600
both_ways()
{
	port=$((port + 2))
	both_succeed "listens $port $in_hca" "$in_hca $1 -d $hca_device $hca_options -p $port -F $2" \
		"$in_peer $1 -d $peer_device $peer_options -p $port -F $2 $hca"
	echo "pass $1 $2, its server the HCA" >>"$TPH_CASES"
	port=$((port + 2))
	both_succeed "listens $port $in_peer" "$in_peer $1 -d $peer_device $peer_options -p $port -F $2" \
		"$in_hca $1 -d $hca_device $hca_options -p $port -F $2 $peer"
	echo "pass $1 $2, its server $peer_is" >>"$TPH_CASES"
}

# traffic NAME OPTION...: operations both ways, with compared bytes (traffic.py); each is a case.
traffic()
{
	traffic_name=$1
	shift
	port=$((port + 2))
	pair_run "listens $port $in_peer" "$in_peer python3 /mnt/src/tests/soft-peer/traffic.py serve $port $peer_device ${peer_gid:-0}" \
		"$in_hca python3 /mnt/src/tests/soft-peer/traffic.py run $peer $port $hca_device ${hca_gid:-0} $*"
	cat client.out
	jq -r --arg name "$traffic_name" 'if .differ == 0 then "pass" else "fail" end + " \($name): \(.operation), begun \(.begins), \(.bytes) bytes"' \
		client.out >>"$TPH_CASES"
	[ "$server_status $client_status" = '0 0' ] || {
		pair_says
		fail "$traffic_name: server $server_status, client $client_status"
	}
}

# wire SPEC: what becomes of frames between the machines, from here on; off: nothing.
wire()
{
	control impair right $1 >control.out
	await 10 'another wire' wire_is "$1"
}

wire_is()
{
	control impair right show >wire.out
	wire_is=$(jq -r .impairment wire.out)
	[ "$wire_is" = "$1" ] || [ "$wire_is,$1" = null,off ]
}
