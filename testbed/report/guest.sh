#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the figures of ./tph report. Argument: repeats. Needs /mnt/job/plan (plan-full or
# plan-quick). Leaves in /mnt/job: samples, copies, chain-8 and chain-16 (evidence.py), tags, kernel, missing
# (devices that the kernel does not have), again (runs that were repeated, with the cause: clock, failed).
set -eu
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/control.sh
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/vfio.sh
# shellcheck source=testbed/run/bandwidth.sh
. /mnt/src/testbed/run/bandwidth.sh
# shellcheck source=testbed/report/chain.sh
. /mnt/src/testbed/report/chain.sh
# shellcheck source=testbed/report/plan-full
. /mnt/job/plan
repeats=$1
gpu=$(bdf_of gpu0)
address=192.0.2.1
rdma_devices='rxe siw'
work=$(mktemp -d)
status=0
trap 'watch_events 0; vfio_give_back_all' EXIT
trap 'exit 130' INT TERM
uname -r >/mnt/job/kernel
: >/mnt/job/samples
: >/mnt/job/copies
: >/mnt/job/tags
: >/mnt/job/missing
: >/mnt/job/again
series='bar-tph bar host'

# devices: soft-RoCE and soft-iWARP on a dummy link. A kernel may have been built without one.
devices()
{
	ip link add tph0 type dummy
	ip address add $address/24 dev tph0
	ip link set tph0 up
	for kind in $rdma_devices; do
		if rdma link add "${kind}0" type "$kind" netdev tph0 2>"$work/link"; then
			series="$series $kind"
		else
			echo "$kind: not in this kernel: $(cat "$work/link")" >&2
			echo "$kind" >>/mnt/job/missing
		fi
	done
}

# into_bar HCA SPEC: options of a server whose buffer is the BAR, with a hint unless SPEC is empty.
into_bar()
{
	server_args="-d mlx5_$1 --use_vfio=$gpu --vfio_bar=0 ${2:+--dmabuf-tph=$2}"
	client_args='-d mlx5_0'
}

# options SERIES: of both sides.
options()
{
	server_address=127.0.0.1
	case $1 in
	bar-tph) into_bar 1 st=42,ph=2 ;;
	bar) into_bar 1 '' ;;
	host) server_args='-d mlx5_1' client_args='-d mlx5_0' ;;
	rxe) server_args='-d rxe0 -x 1' client_args='-d rxe0 -x 1' ;;
	siw)
		# iWARP connects by rdma_cm only.
		server_args='-d siw0 -R' client_args='-d siw0 -R' server_address=$address
		;;
	esac
	case $1 in
	rxe | siw) seconds=45 ;;
	*) seconds=300 ;;
	esac
}

# iterations BYTES MOST LEAST SIZE: so many that about BYTES are sent.
iterations()
{
	iters=$(($1 / $4))
	[ "$iters" -le "$2" ] || iters=$2
	[ "$iters" -ge "$3" ] || iters=$3
}

# sample SERIES METRIC SIZE REPEAT: one run. perftest measures the clock's rate anew each time; where other work
# of the machine disturbs that, it gives 0 or infinity, and the run is repeated. So is one of a device that is
# there to compare, when it fails or hangs.
sample()
{
	attempts=4
	while :; do
		cause=
		try_sample "$@"
		[ -n "$cause" ] || return 0
		echo "$1, $2, $3 bytes: $cause" >&2
		attempts=$((attempts - 1))
		case $1,$cause in
		*,clock) ;;
		rxe,* | siw,*) attempts=$((attempts - 1)) ;;
		*) attempts=0 ;;
		esac
		if [ $attempts -le 0 ]; then
			case $1 in
			rxe | siw) ;;
			*) status=1 ;;
			esac
			return 0
		fi
		echo "$cause $1 $2 $3" >>/mnt/job/again
	done
}

# try_sample: sets cause to clock or failed when the run gave no figure that can be true.
try_sample()
{
	options "$1"
	case $2 in
	bandwidth)
		program=ib_write_bw
		iterations 8388608 1000 16 "$3"
		common_args="-s $3 -n $iters -F"
		field=MsgRate
		[ "$3" -lt 1024 ] || field=BW_average
		;;
	latency)
		program=ib_send_lat
		iterations 1048576 200 10 "$3"
		# Inline messages would not be read from memory.
		common_args="-s $3 -n $iters -F -I 0"
		field=t_typical
		;;
	esac
	control reset-counts gpu0 >/dev/null
	bandwidth
	if [ "$server_status" -ne 0 ] || [ "$client_status" -ne 0 ]; then
		bandwidth_messages
		cause=failed
		return
	fi
	jq -e ".results.$field | . > 0 and . < 1e9" "$work/client.json" >/dev/null || {
		cause=clock
		return
	}
	control counts gpu0 >"$work/counts"
	{
		echo "$1 $2 $3 $4 $iters"
		jq -c .results "$work/client.json"
		cat "$work/counts"
	} >>/mnt/job/samples
}

# memcpy REPEAT
memcpy()
{
	# shellcheck disable=SC2086 # numbers
	/mnt/tests/cpu_copy $gpu 0 $sizes >"$work/copies" || status=1
	sed "s/^/$1 /" "$work/copies" >>/mnt/job/copies
}

# tag WIDTH TAG PH MESSAGES: so many messages of 4096 bytes with a tag; WIDTH 0: without.
tag()
{
	case $1 in
	0) into_bar 1 '' ;;
	8) into_bar 1 "st=$2,ph=$3" ;;
	16) into_bar 2 "st_ext=$2,ph=$3" ;;
	esac
	program=ib_write_bw common_args="-s 4096 -n $4 -F" server_address=127.0.0.1
	bandwidth
	if [ "$server_status" -ne 0 ] || [ "$client_status" -ne 0 ]; then
		bandwidth_messages
		status=1
	fi
	echo "$1 $2 $3 $4 4096" >>/mnt/job/tags
}

devices
vfio_bind "$gpu"
repeat=0
while [ "$repeat" -lt "$repeats" ]; do
	repeat=$((repeat + 1))
	for size in $sizes; do
		echo "repeat $repeat of $repeats: $size bytes" >&2
		for one in $series; do
			sample "$one" bandwidth "$size" $repeat
			sample "$one" latency "$size" $repeat
		done
	done
	memcpy $repeat
done
for kind in $rdma_devices; do
	[ ! -e "/sys/class/infiniband/${kind}0" ] || rdma link delete "${kind}0"
done

echo "tags" >&2
control mark tags >/dev/null
control reset-counts gpu0 >/dev/null
for one in $tags; do
	# shellcheck disable=SC2046 # four words
	tag $(echo "$one" | tr , ' ')
done
control counts gpu0 >/mnt/job/tags-counts
control mark tags-end >/dev/null

echo "one write, step by step" >&2
chain 8 1 st=42,ph=2 || status=1
chain 16 2 st_ext=48879,ph=2 || status=1
exit $status
