# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # variables of run.sh
# ucx_perftest over UCX's verbs transports: the protocols of UCP, and the transports (UCT) themselves.
export UCX_NET_DEVICES="$device:1" UCX_WARN_UNUSED_ENV_VARS=n
# The cause of a failure is its last lines: no backtraces.
export UCX_HANDLE_ERRORS=none OMPI_MCA_opal_signal=
[ -z "$gid" ] || export UCX_IB_GID_INDEX="$gid"

# one NAME OPTIONS-OF-BOTH OPTIONS
one()
{
	# -P 0: without a terminal it takes itself for an MPI job.
	both "$1" 13337 "ucx_perftest -P 0 -p 13337 -f $2" "ucx_perftest -P 0 -p 13337 -f $2 $3 127.0.0.1"
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
	one "${transport}erbs $1 $2" "-x ${transport}erbs -d $device:1" "-t $1 $2"
}

small='-n 100 -w 10 -s 8'
for transport in rc_v ud_v; do
	if ! ucx_info -d 2>/dev/null | grep -q "Transport: ${transport}erbs"; then
		verdict skip "$transport" 'UCX does not offer the transport on this device'
		continue
	fi
	for test in tag_lat tag_bw ucp_put_lat ucp_put_bw ucp_get ucp_am_lat ucp_am_bw; do
		protocol $test "$small"
		protocol $test '-n 20 -w 2 -s 65536'
		[ -z "$whole" ] || protocol $test '-n 5 -w 1 -s 1048576'
	done
	direct am_lat "-D short $small"
	direct am_bw '-D bcopy -n 100 -w 10 -s 1024'
	[ -z "$whole" ] || for test in stream_bw stream_lat ucp_add ucp_fadd ucp_swap ucp_cswap; do
		protocol $test "$small"
	done
	[ $transport = rc_v ] || continue
	direct put_lat "-D short $small"
	direct put_bw '-D zcopy -n 20 -w 2 -s 65536'
	direct get '-D bcopy -n 100 -w 10 -s 1024'
	[ -z "$whole" ] || for test in fadd cswap; do
		direct $test "$small"
	done
done
