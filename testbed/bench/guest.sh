#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the measurements of /mnt/job/plan (testbed/bench/plan.py). Leaves in /mnt/job: samples, lines of JSON;
# kernel; failed, lines of the plan that gave no figure; counted, for each try with the emulator of this checkout what the
# endpoint counted, and the mark in the trace before it.
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

# sample FILTER: the figure that the filter makes of the file, as one of the round. Fails when there is none that can be
# true: perftest measures the clock's rate each time, and gives 0 or infinity where the machine disturbs that.
sample()
{
	sample_measure=$1
	shift
	jq -ce --argjson round "$round" --arg system "$system" --arg measure "$sample_measure" --argjson size "$size" \
		--argjson qps "$qps" "($1) as \$value | if \$value > 0 and \$value < 1e9 then
			{round: \$round, system: \$system, measure: \$measure, size: \$size, qps: \$qps, value: \$value}
		else error(\"no figure\") end" "$2" >>"$work/sample"
}

perftest()
{
	common_args="-s $size -n $messages -F"
	[ "$measure" = latency-idle ] || [ "$qps" -le 1 ] || common_args="$common_args -q $qps"
	server_args="-d $server" client_args="-d $client" seconds=60
	case $measure in
	latency | latency-idle) program=ib_write_lat ;;
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
		sample latency .results.t_typical "$work/client.json" &&
			sample latency-p99 .results.percentile_99 "$work/client.json"
		;;
	latency-idle) sample latency-idle .results.t_typical "$work/client.json" ;;
	rate) sample rate '.results.MsgRate * 1e6' "$work/client.json" ;;
	*) sample "$measure" '.results.BW_average * 1.048576' "$work/client.json" ;;
	esac
}

# registration: the middle of the runs that testbed/cost/cost.c makes.
registration()
{
	/mnt/tests/cost pairs "$server" "$gpu" 3 >"$work/pairs" || return 1
	for kind in 'register=BAR, no hint' 'register-tph=BAR, tag in use' 'register-host=host memory'; do
		jq -s --arg kind "${kind#*=}" 'map(select(.kind == $kind).register) | sort | .[1]' "$work/pairs" >"$work/register"
		sample "${kind%%=*}" '. / 1000' "$work/register" || return 1
	done
}

# registration_host: the same of host memory alone.
registration_host()
{
	# shellcheck disable=SC2086 # the device is the first word
	set -- $server
	/mnt/tests/cost host "$1" 3 >"$work/pairs" || return 1
	jq -s 'map(.register) | sort | .[1]' "$work/pairs" >"$work/register"
	sample register-host '. / 1000' "$work/register"
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

memcpy()
{
	asked=$((asked + 1)) waited=0
	echo "$size" >/mnt/job/new
	mv /mnt/job/new /mnt/job/ask-$asked
	until [ -e /mnt/job/said-$asked ]; do
		waited=$((waited + 1))
		[ $waited -le 600 ] || return 1
		sleep 0.05
	done
	sample bandwidth . /mnt/job/said-$asked
}

# measure_once: of the line of the plan that was read.
measure_once()
{
	: >"$work/sample"
	system "$system"
	case $system,$measure in
	memcpy,*) memcpy ;;
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
	jq -c --arg mark "run-$runs" --argjson round "$round" --arg measure "$measure" --argjson size "$size" --argjson qps "$qps" \
		'{mark: $mark, round: $round, measure: $measure, size: $size, qps: $qps, counts}' "$work/counts" >>/mnt/job/counted
	return $measured
}

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
