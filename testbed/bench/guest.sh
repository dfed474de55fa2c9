#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the measurements of /mnt/job/plan (testbed/bench/plan.py). Leaves in /mnt/job: samples
# and counted (testbed/bench/samples.py); kernel; failed, lines of the plan that gave no figure.
set -eu
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/vfio.sh
# shellcheck source=testbed/guest/control.sh
. /mnt/src/testbed/guest/control.sh
# shellcheck source=testbed/run/bandwidth.sh
. /mnt/src/testbed/run/bandwidth.sh
work=$(mktemp -d)
trap vfio_give_back_all EXIT
trap 'exit 130' INT TERM
uname -r >/mnt/job/kernel
: >/mnt/job/samples
: >/mnt/job/failed
: >/mnt/job/counted
ip link add tph0 type dummy
ip address add 192.0.2.1/24 dev tph0
ip link set tph0 up
rdma link add rxe0 type rxe netdev tph0 || echo 'soft-RoCE: not in this kernel' >&2

# rdma_name NAME: what the driver calls that HCA function.
rdma_name()
{
	basename "/sys/bus/pci/devices/$(bdf_of "$1")/infiniband/"*
}

# system NAME: sets client, server and gpu.
system()
{
	case $1 in
	this) client=$(rdma_name hca0) server=$(rdma_name hca1) gpu=$(bdf_of gpu0) ;;
	other) client=$(rdma_name hca2) server=$(rdma_name hca3) gpu=$(bdf_of gpu1) ;;
	rxe) client='rxe0 -x 1' server='rxe0 -x 1' ;;
	esac
}

# sample MEASURE VALUE: a figure of the round, as a program gave it.
sample()
{
	echo "$round $system $1 $size $qps $2" >>"$work/sample"
}

# sample_field MEASURE FIELD: that field of the client. Fails when it cannot be true: perftest measures the clock's rate each time, and
# gives 0 or infinity where the machine disturbs that.
sample_field()
{
	field=$(jq -re ".results.$2 | select(. > 0 and . < 1e9)" "$work/client.json") && sample "$1" "$field"
}

perftest()
{
	common_args="-s $size -n $messages -F"
	[ "$measure" = latency-idle ] || [ "$qps" -le 1 ] || common_args="$common_args -q $qps"
	server_args="-d $server" client_args="-d $client" seconds=60
	case $measure in
	latency | latency-idle) program=ib_write_lat ;;
	bandwidth-huge) program=ib_write_bw common_args="$common_args --use_hugepages" ;;
	bar) program=ib_write_bw server_args="$server_args --use_vfio=$gpu --vfio_bar=0" ;;
	bar-tph) program=ib_write_bw server_args="$server_args --use_vfio=$gpu --vfio_bar=0 --dmabuf-tph=st=42,ph=2" ;;
	*) program=ib_write_bw ;;
	esac
	bandwidth
	if [ "$server_status" -ne 0 ] || [ "$client_status" -ne 0 ]; then
		bandwidth_messages
		return 1
	fi
	case $measure in
	latency)
		sample_field latency t_typical && sample_field latency-p99 percentile_99
		;;
	latency-idle) sample_field latency-idle t_typical ;;
	rate) sample_field rate MsgRate ;;
	*) sample_field "$measure" BW_average ;;
	esac
}

# sample_times MEASURE KIND: those of the registrations of a kind that testbed/cost/cost.c made.
sample_times()
{
	times=$(jq -re --arg kind "$2" 'select(.kind == $kind).register' "$work/pairs") && sample "$1" "$(echo "$times" | paste -s -d ,)"
}

registration()
{
	/mnt/tests/cost pairs "$server" "$gpu" 3 >"$work/pairs" || return 1
	for kind in 'register=BAR, no hint' 'register-tph=BAR, tag in use' 'register-host=host memory'; do
		sample_times "${kind%%=*}" "${kind#*=}" || return 1
	done
}

# registration_host: the same of host memory alone.
registration_host()
{
	# shellcheck disable=SC2086 # the device is the first word
	set -- $server
	/mnt/tests/cost host "$1" 3 >"$work/pairs" || return 1
	sample_times register-host 'host memory'
}

# beside_idle COMMAND: while the QPs of the line are there, at the client's function, and do nothing.
beside_idle()
{
	: >"$work/idle"
	/mnt/tests/idle_queues "$client" "$qps" >"$work/idle" &
	idle=$! idle_status=0
	until [ -s "$work/idle" ] || ! kill -0 $idle 2>/dev/null; do
		sleep 0.05
	done
	[ -s "$work/idle" ] && "$@" || idle_status=1
	kill $idle 2>/dev/null || :
	# The shell would say that it was killed.
	wait $idle 2>/dev/null || :
	return $idle_status
}

# copies: asks the host, where testbed/bench/copies.py answers.
copies()
{
	asked=$((asked + 1)) waited=0
	echo "$system $size" >/mnt/job/new
	mv /mnt/job/new /mnt/job/ask-$asked
	until [ -e /mnt/job/said-$asked ]; do
		waited=$((waited + 1))
		[ $waited -le 600 ] || return 1
		sleep 0.05
	done
	sample "$measure" "$(cat /mnt/job/said-$asked)"
}

# measure_once: of the line of the plan that was read.
measure_once()
{
	: >"$work/sample"
	system "$system"
	case $system,$measure in
	memcpy*) copies ;;
	*,register) registration ;;
	*,register-host) registration_host ;;
	*,latency-idle) beside_idle perftest ;;
	*) perftest ;;
	esac
}

# measure_counted: the same, and the requests that the endpoint got meanwhile.
measure_counted()
{
	[ "$system" = this ] || {
		measure_once
		return
	}
	runs=$((runs + 1)) measured=0
	control reset-counts gpu0 >/dev/null && control mark "run-$runs" >/dev/null || return 1
	measure_once || measured=1
	control mark "end-$runs" >/dev/null && control counts gpu0 >"$work/counts" || return 1
	echo "run-$runs $round $measure $size $qps" | cat - "$work/counts" >>/mnt/job/counted
	return $measured
}

# Of 2 MiB: each of two ends has twice the 8 MiB of a message, 16 pages in all, and as many are spare.
echo 32 >/proc/sys/vm/nr_hugepages
vfio_bind "$(bdf_of gpu0)"
! other=$(bdf_of gpu1 2>/dev/null) || vfio_bind "$other"
: >/mnt/job/measuring
asked=0 runs=0 last=
while read -r round system measure size qps messages; do
	[ "$round" = "$last" ] || echo "round $round" >&2
	last=$round
	tries=3
	until measure_counted; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || break
	done
	if [ $tries -gt 0 ]; then
		cat "$work/sample" >>/mnt/job/samples
	else
		echo "$round $system $measure $size $qps $messages" >>/mnt/job/failed
	fi
done </mnt/job/plan
: >/mnt/job/measured
if [ -e /mnt/job/profile ]; then
	# While the programs are there to be looked at.
	until [ -e /mnt/job/profiled ]; do
		sleep 0.1
	done
fi
[ ! -e /sys/class/infiniband/rxe0 ] || rdma link delete rxe0
