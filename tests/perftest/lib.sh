# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of the suite perftest: two sides of a program, one of them with a BAR as buffer.
# shellcheck source=testbed/guest/pair.sh
. /mnt/src/testbed/guest/pair.sh
gpu=$(bdf_of gpu0)
port=18600
preload='' regions_before=''

# measure PROGRAM DEVICE BDF SPEC OPTIONS [BAR-OPTIONS [HOST-OPTIONS]]: PROGRAM between DEVICE, whose buffer
# is the BAR, and another HCA function with host memory. The BAR is on the side that RDMA writes to. SPEC is
# the argument of --dmabuf-tph, or empty. Sets bar_status and host_status.
measure()
{
	program=$1 device=$2 bdf=$3 spec=${4:+--dmabuf-tph=$4} options=$5 bar_options=${6:-} host_options=${7:-}
	host=mlx5_1
	[ "$device" != mlx5_1 ] || host=mlx5_0
	port=$((port + 1))
	words="env $preload $program -p $port"
	bar="$words -d $device --use_vfio=$bdf --vfio_bar=0 $spec $bar_options $options --out_json --out_json_file=bar.json"
	host="$words -d $host $host_options $options"
	endpoint=$(name_of "$bdf")
	rm -f bar.* host.*
	control reset-counts "$endpoint" >control.out
	pair_seconds=60
	case $program in
	ib_read_*)
		pair_run "listens $port" "$host" "$bar 127.0.0.1"
		bar_side=client host_side=server bar_status=$client_status host_status=$server_status
		;;
	*)
		pair_run "listens $port" "$bar" "$host 127.0.0.1"
		bar_side=server host_side=client bar_status=$server_status host_status=$client_status
		;;
	esac
	for said in out err; do
		mv "$bar_side.$said" "bar.$said"
		mv "$host_side.$said" "host.$said"
	done
	control counts "$endpoint" >counts.json
}

# good WHAT: both sides of the last run succeeded.
good()
{
	[ "$bar_status,$host_status" = 0,0 ] || {
		cat bar.out bar.err host.out host.err
		fail "$1: status $bar_status with the BAR, $host_status with host memory"
	}
}

# tph KEY: of the JSON output, compact.
tph()
{
	jq -c ".test_info.dmabuf_tph.$1" bar.json
}

# applied SOURCE TAG WIDTH PH REASON WHAT: the read-back in the JSON output; values as JSON. REASON of a
# fallback, or null.
applied()
{
	fallback=true
	[ "$5" != null ] || fallback=false
	equal "{\"source\":$1,\"steering_tag\":$2,\"st_width\":$3,\"ph\":$4,\"fallback\":$fallback,\"reason\":$5,\"stale\":false}" \
		"$(tph applied)" "$6: applied"
}

# completer BYTES WHAT: so many bytes were written to the BAR, and all that reached it had the hint of the
# read-back in the JSON output: a tag, its width and a PH, or none.
completer()
{
	equal "$1" "$(jq '[.counts[].write_bytes] | add // 0' counts.json)" "$2: bytes that the completer counted"
	jq -c '[.counts[] | select(.writes + .reads > 0) | [.st, .st_width // null, .ph]] | unique' \
		counts.json >arrived
	jq -c '[.test_info.dmabuf_tph.applied | [.steering_tag, .st_width, .ph]]' bar.json >read-back
	equal "$(cat read-back)" "$(cat arrived)" "$2: hints that the completer counted"
}

# regions: how many memory regions there are.
regions()
{
	rdma -j resource show mr | jq length
}

# refused MESSAGE WHAT: the side with the BAR of the last run failed with MESSAGE, nothing reached the BAR,
# no figure was reported, and no region is left of the $regions_before.
refused()
{
	equal 1 "$bar_status" "$2: status"
	grep -Fxq " $1" bar.err || {
		cat bar.err
		fail "$2: not the message '$1'"
	}
	[ "$host_status" -ne 0 ] || fail "$2: the other side succeeded"
	equal 0 "$(jq '[.counts[] | .writes + .reads] | add // 0' counts.json)" "$2: TLPs to the BAR"
	[ ! -e bar.json ] || fail "$2: there is a report"
	! grep -q '#iterations' bar.out || fail "$2: results in the output"
	equal "$regions_before" "$(regions)" "$2: memory regions"
	echo "pass $2" >>"$TPH_CASES"
}

# no MESSAGE PROGRAM OPTIONS...: refused before it waits for its client.
no()
{
	message=$1
	shift
	status=0
	timeout 20 "$@" >out 2>err || status=$?
	equal 1 $status "$*: status"
	# Upstream says some of it on standard output.
	cat out err >both
	grep -Fxq " $message" both || {
		cat both
		fail "$*: not the message '$message'"
	}
	! grep -q '^opened' out || fail "$*: opened the device"
	equal "$regions_before" "$(regions)" "$*: memory regions"
	echo "pass $(echo "$*" | cut -c 1-100)" >>"$TPH_CASES"
}
