# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables of bandwidth.sh and guest.sh
# Sourced in the guest: what a write into the BAR leaves behind in each layer.
chain_tracing=/sys/kernel/tracing
chain_messages=5
chain_size=64

# watch_events 0|1: the events of the series off or on.
watch_events()
{
	for event in vfio_pci/vfio_pci_dma_buf_set_tph dma_buf/dma_buf_get_tph rdma_core/mr_tph; do
		echo "$1" >$chain_tracing/events/$event/enable
	done
}

# stopped: process ID of the server, when it has come to the end of its memory region (see ioctl_bytes.c).
stopped()
{
	cat /proc/[0-9]*/stat 2>/dev/null | awk '$2 == "(ib_write_bw)" && $3 == "T" { print $1 }'
}

# hexadecimal FILE: its bytes.
hexadecimal()
{
	od -An -v -tx1 "$1" | tr -d ' \n'
}

# chain WIDTH HCA SPEC: leaves the directory /mnt/job/chain-WIDTH. Its files are as the layers gave them, they are
# decoded outside; head has WIDTH, HCA, SPEC, messages and their size.
chain()
{
	chain_left=/mnt/job/chain-$1
	mkdir "$chain_left"
	echo "$1 hca$2 $3 $chain_messages $chain_size" >"$chain_left/head"
	IOCTL_BYTES=$work/ioctls-$1
	export IOCTL_BYTES
	into_bar "$2" "$3"
	program=ib_write_bw server_address=127.0.0.1 common_args="-s $chain_size -n $chain_messages -F"
	chain_hca=$(basename "$(readlink -f "/sys/class/infiniband/mlx5_$2/device")")
	echo >$chain_tracing/trace
	watch_events 1
	control reset-counts gpu0 >/dev/null
	control clear-mkey "hca$2" >/dev/null
	control mark "chain-$1" >/dev/null
	{
		preload=/mnt/tests/ioctl_bytes.so
		bandwidth
		[ "$server_status,$client_status" = 0,0 ] || bandwidth_messages
		exit $((server_status | client_status))
	} &
	chain_run=$!
	until [ -n "$(stopped)" ]; do
		kill -0 $chain_run 2>/dev/null || {
			echo "$3: no write to look at" >&2
			return 1
		}
		sleep 0.1
	done
	# The region is still there.
	control mkey "hca$2" >"$chain_left/mkey"
	rdma -j resource show mr >"$chain_left/mr"
	hexadecimal "/sys/bus/pci/devices/$chain_hca/config" >"$chain_left/config"
	kill -CONT "$(stopped)"
	wait $chain_run || return 1
	control counts gpu0 >"$chain_left/counts"
	control mark "chain-$1-end" >/dev/null
	watch_events 0
	sed -n 's/.* \([a-z_]*_tph: .*\)/\1/p' $chain_tracing/trace >"$chain_left/events"
	cp "$IOCTL_BYTES" "$chain_left/ioctls"
}
