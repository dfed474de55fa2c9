# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # variables of run.sh
# ucx_perftest over UCX's transports, by verbs (rc_v, ud_v) and by commands and queues of its own (rc_x, dc_x, ud_x):
# the protocols of UCP, and the transports (UCT) themselves. A case that hangs fails after a minute.
both_seconds=60
export UCX_NET_DEVICES="$device:1" UCX_WARN_UNUSED_ENV_VARS=n
# The cause of a failure is its last lines: no backtraces.
export UCX_HANDLE_ERRORS=none OMPI_MCA_opal_signal=
[ -z "$gid" ] || export UCX_IB_GID_INDEX="$gid"

# one NAME OPTIONS-OF-BOTH OPTIONS
one()
{
	# -P 0: without a terminal it takes itself for an MPI job.
	both "$1" "$port" "ucx_perftest -P 0 -p $port -f $2" "ucx_perftest -P 0 -p $port -f $2 $3 127.0.0.1"
}

# protocol TEST OPTIONS: UCP chooses how, over this transport alone.
protocol()
{
	export UCX_TLS="$transport,self"
	one "$transport $1 $2" '' "-t $1 $2"
}

# direct TEST OPTIONS
direct()
{
	unset UCX_TLS
	one "$uct $1 $2" "-x $uct -d $device:1" "-t $1 $2"
}

# options SIZE: few rounds, fewer of what takes long.
options()
{
	case $1 in
	8) echo '-n 100 -w 10 -s 8' ;;
	4096) echo '-n 50 -w 5 -s 4096' ;;
	65536) echo '-n 20 -w 2 -s 65536' ;;
	*) echo "-n 3 -w 1 -s $1" ;;
	esac
}

# Messages of 8 bytes to 3 MiB: short, copied, and by rendezvous. A selection has each protocol at one size with each
# transport, each time at the next one: all sizes with each transport, and all with each protocol.
sizes='8 4096 65536 3145728'

# sized TEST
sized()
{
	chosen=0
	for size in $sizes; do
		if [ -n "$whole" ] || [ $((turn % 4)) -eq $chosen ]; then
			protocol "$1" "$(options "$size")"
		fi
		chosen=$((chosen + 1))
	done
	turn=$((turn + 1))
}

# over TRANSPORT TURN: all of a transport; turn 0 begins with the first size.
over()
{
	transport=$1 turn=$2
	case $transport in
	*_v) uct=${transport}erbs ;;
	*_x) uct=${transport%x}mlx5 ;;
	esac
	if ! ucx_info -d 2>/dev/null | grep -q "Transport: $uct"; then
		verdict skip "$transport" 'UCX does not offer the transport on this device'
		return
	fi
	for test in tag_lat tag_bw tag_sync_lat stream_lat stream_bw ucp_put_lat ucp_put_bw ucp_get ucp_am_lat ucp_am_bw; do
		sized $test
	done
	for test in ucp_add ucp_fadd ucp_swap ucp_cswap; do
		protocol $test "$(options 8)"
	done
	direct am_lat "-D short $(options 8)"
	direct am_bw '-D bcopy -n 100 -w 10 -s 1024'
	case $transport in ud_*) return ;; esac
	direct put_lat "-D short $(options 8)"
	direct put_bw "-D zcopy $(options 65536)"
	direct get '-D bcopy -n 100 -w 10 -s 1024'
	for test in fadd cswap; do
		direct $test "$(options 8)"
	done
}

# beside PORT TRANSPORT TURN...: one pair after the other there, in a directory of its own.
beside()
{
	port=$1
	shift
	mkdir "$port"
	cd "$port" || exit
	while [ $# -gt 0 ]; do
		over "$1" "$2"
		shift 2
	done
}

# Most of what a pair needs is one processor, until both have started.
(beside 13337 rc_v 0 rc_x 2) &
other=$!
(beside 13338 ud_v 1 dc_x 3 ud_x 0)
ended=$?
wait $other || ended=$?
[ $ended = 0 ] || exit $ended
