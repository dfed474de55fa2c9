# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # variables of run.sh
# ucx_perftest over UCX's verbs transports.
export UCX_NET_DEVICES="$device:1" UCX_WARN_UNUSED_ENV_VARS=n
[ -z "$gid" ] || export UCX_IB_GID_INDEX="$gid"

# one TRANSPORT TEST OPTIONS
one()
{
	export UCX_TLS="$1,self"
	# -P 0: without a terminal it takes itself for an MPI job.
	both "$1 $2 $3" 13337 "ucx_perftest -P 0 -p 13337 -f" "ucx_perftest -P 0 -p 13337 -f -t $2 $3 127.0.0.1"
}

for transport in rc_v ud_v; do
	if ! ucx_info -d 2>/dev/null | grep -q "Transport: ${transport}erbs"; then
		verdict skip "$transport" 'UCX does not offer the transport on this device'
		continue
	fi
	for test in tag_lat tag_bw put_lat put_bw get am_lat am_bw; do
		one $transport $test '-n 100 -w 10 -s 8'
		one $transport $test '-n 20 -w 2 -s 65536'
		[ -z "$whole" ] || one $transport $test '-n 5 -w 1 -s 1048576'
	done
	[ -z "$whole" ] || for test in stream_bw stream_lat add fadd swap cswap; do
		one $transport $test '-n 100 -w 10 -s 8'
	done
done
