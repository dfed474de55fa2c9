#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: the runs of /mnt/job/plan. Each leaves /mnt/job/rows/N.json.
set -eu
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/control.sh
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/vfio.sh
mkdir -p /mnt/job/rows
uname -r >/mnt/job/kernel
work=$(mktemp -d)
trap vfio_give_back_all EXIT
trap 'exit 130' INT TERM
port=18500
iommu=$(cat /mnt/job/iommu)

# bandwidth SERVER-ARGS: ib_write_bw between two processes of this guest; the server's options are
# in $server_args, the client's in $client_args. Sets server_status and client_status.
bandwidth()
{
	port=$((port + 1))
	rm -f "$work"/*.json
	# shellcheck disable=SC2086 # lists of options
	timeout 310 ib_write_bw -p $port $common_args $server_args >"$work/server.out" 2>"$work/server.err" &
	server=$!
	client_status=1
	# 0x... in /proc/net/tcp: the port in state LISTEN (0A)
	listening=$(printf ':%04X 0*:0000 0A' $port)
	while kill -0 $server 2>/dev/null; do
		if grep -qE "$listening" /proc/net/tcp /proc/net/tcp6; then
			client_status=0
			# shellcheck disable=SC2086
			timeout 300 ib_write_bw -p $port $common_args $client_args --out_json \
				--out_json_file="$work/client.json" 127.0.0.1 >"$work/client.out" \
				2>"$work/client.err" || client_status=$?
			break
		fi
		sleep 0.05
	done
	if [ "$client_status" -ne 0 ]; then
		sleep 0.2
		kill $server 2>/dev/null || :
	fi
	server_status=0
	wait $server || server_status=$?
}

# megabytes FILE: bandwidth in 10^6 bytes per second; perftest counts in MiB.
megabytes()
{
	jq '.results.BW_average * 104.8576 | round / 100' "$1"
}

# number_or_null WORD
number_or_null()
{
	[ "$1" = - ] && echo null || echo "$1"
}

status=0
while read -r id target device bdf bar mode width hca st st_ext ph size iters offset expect; do
	echo "run $id: $target, ST $st, Extended ST $st_ext, $mode mode, ${width}-bit requester" >&2
	vfio_bind "$bdf"
	# perftest fills its buffer with random bytes, sends the first half, and takes the peer's
	# writes in the second half; on the client the buffer is this file.
	span=$((size > 4096 ? size : 4096))
	common_args="-s $size -n $iters -F -m 4096"
	server_args="-d mlx5_$hca --use_vfio=$bdf --vfio_bar=$bar --vfio_offset=$offset"
	client_args="-d mlx5_0 --mmap=$work/sent"
	truncate -s $((2 * span)) "$work/sent"
	spec=ph=$ph
	[ "$st" = - ] || spec=st=$st,$spec
	[ "$st_ext" = - ] || spec=st_ext=$st_ext,$spec
	[ "$spec" = "ph=$ph" ] || server_args="$server_args --dmabuf-tph=$spec"

	vfiobar fill "$bdf" "$bar" "$offset" $((2 * span)) 0xa5 2>"$work/fill.err" || {
		cat "$work/fill.err" >&2
		status=1
		vfio_give_back_all
		continue
	}
	counted=true
	[ "$target" != qemu-nvme ] || counted=false
	[ $counted = false ] || control reset-counts "$device" >/dev/null
	control clear-mkey "hca$hca" >/dev/null
	control mark "begin-$id" >/dev/null
	bandwidth
	control mark "end-$id" >/dev/null
	counts='{"counts":[]}'
	[ $counted = false ] || counts=$(control counts "$device")
	mkey=$(control mkey "hca$hca")
	# Behind a translating IOMMU only the requester knows the BAR's DMA address.
	window=$(sed -n "$((bar + 1))p" "/sys/bus/pci/devices/$bdf/resource" | cut -d ' ' -f 1-2)
	[ "$iommu" != translated ] || window=$(echo "$mkey" |
		jq -r 'if .mkey then "\(.dma_low) \(.dma_high)" else "0 0" end')

	errno=$(sed -n 's/.*(\(E[A-Z0-9]*\)).*/\1/p' "$work/server.err" | head -n 1)
	result=ok verified=null bw=null
	if [ "$server_status" -ne 0 ] || [ "$client_status" -ne 0 ]; then
		result=failed
		[ -z "$errno" ] || result=refused
		if [ "$expect" != refused ] || [ $result != refused ]; then
			status=1
			sed "s/^/  server: /" "$work/server.out" "$work/server.err" >&2
			sed "s/^/  client: /" "$work/client.out" "$work/client.err" >&2 2>/dev/null || :
		fi
	else
		verified=false
		if vfiobar compare "$bdf" "$bar" $((offset + span)) "$work/sent" "$size" >&2; then
			verified=true
		fi
		bw=$(megabytes "$work/client.json")
	fi
	vfio_give_back_all
	jq -n --arg target "$target" --arg bdf "$bdf" --argjson bar "$bar" --arg mode "$mode" \
		--argjson width "$width" --argjson st "$(number_or_null "$st")" \
		--argjson st_ext "$(number_or_null "$st_ext")" --argjson ph "$ph" \
		--argjson mkey "$mkey" --argjson counts "$counts" --argjson counted $counted \
		--arg result $result --arg errno "$errno" --argjson size "$size" \
		--arg base "${window% *}" --arg end "${window#* }" \
		--argjson iters "$iters" --argjson bw "$bw" --argjson verified $verified \
		-f /mnt/src/testbed/run/guest-row.jq >"/mnt/job/rows/$id.json"
done </mnt/job/plan

# host_memory DEVICE SERVER-ARGS CLIENT-ARGS: the same benchmark without a BAR, for comparison.
host_memory()
{
	server_args=$2 client_args=$3
	bandwidth
	if [ "$server_status" -ne 0 ] || [ "$client_status" -ne 0 ]; then
		sed "s/^/  $1: /" "$work/server.err" "$work/client.err" >&2 2>/dev/null || :
		return 1
	fi
	jq -n --arg device "$1" --argjson size "$host_size" --argjson iters "$host_iters" \
		--argjson bw "$(megabytes "$work/client.json")" \
		'{device: $device, program: "ib_write_bw", size: $size, iters: $iters, bw_avg_MBps: $bw}'
}

echo "host memory: mlx5 and soft-RoCE" >&2
ip link add tph0 type dummy
ip address add 192.0.2.1/24 dev tph0
ip link set tph0 up
rdma link add rxe0 type rxe netdev tph0
host_size=65536 host_iters=1000
common_args="-s $host_size -n $host_iters -F"
host_memory mlx5 '-d mlx5_1' '-d mlx5_0' >"$work/host" || status=1
host_memory rxe '-d rxe0 -x 1' '-d rxe0 -x 1' >>"$work/host" || status=1
jq -s . "$work/host" >/mnt/job/host-memory.json
rdma link delete rxe0
exit $status
