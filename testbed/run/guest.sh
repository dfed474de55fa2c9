#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the runs of /mnt/job/plan. Each leaves /mnt/job/rows/N.json.
set -eu
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/control.sh
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/vfio.sh
# shellcheck source=testbed/run/bandwidth.sh
. /mnt/src/testbed/run/bandwidth.sh
mkdir -p /mnt/job/rows
uname -r >/mnt/job/kernel
work=$(mktemp -d)
trap vfio_give_back_all EXIT
trap 'exit 130' INT TERM
iommu=$(cat /mnt/job/iommu)

# number_or_null WORD
number_or_null()
{
	[ "$1" = - ] && echo null || echo "$1"
}

# leave_row: what is known of the run, for the report.
leave_row()
{
	jq -n --arg target "$target" --arg bdf "$bdf" --argjson bar "$bar" --arg mode "$mode" \
		--argjson width "$width" --argjson st "$(number_or_null "$st")" \
		--argjson st_ext "$(number_or_null "$st_ext")" --argjson ph "$ph" \
		--argjson mkey "$mkey" --argjson counts "$counts" --argjson counted $counted \
		--arg result $result --arg errno "$errno" --argjson size "$size" \
		--arg base "${window% *}" --arg end "${window#* }" \
		--argjson iters "$iters" --argjson bw "$bw" --argjson applied "$applied" --argjson verified $verified \
		-f /mnt/src/testbed/run/guest-row.jq >"/mnt/job/rows/$id.json"
}

# judge: result, errno, bw, applied and verified, after bandwidth.
judge()
{
	result=ok verified=null bw=null applied=null
	errno=$(sed -n 's/.*(\(E[A-Z0-9]*\)).*/\1/p' "$work/server.err" | head -n 1)
	if [ "$server_status" -eq 0 ] && [ "$client_status" -eq 0 ]; then
		bw=$(megabytes "$work/client.json")
		[ ! -f "$work/server.json" ] || applied=$(jq -c .test_info.dmabuf_tph.applied "$work/server.json")
		verified=false
		! vfiobar compare "$bdf" "$bar" $((offset + span)) "$work/sent" "$size" >&2 ||
			verified=true
		return
	fi
	result=failed
	[ -z "$errno" ] || result=refused
	[ "$expect,$result" != refused,refused ] || return 0
	status=1
	bandwidth_messages
}

# bar_run: the run described by the variables that are read from the plan.
bar_run()
{
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
	# perftest requires the hint, unless it is known that this HCA function cannot send it.
	[ "$expect" != plain ] || spec=$spec,auto
	if [ "$st,$st_ext" != -,- ]; then
		server_args="$server_args --dmabuf-tph=$spec --out_json --out_json_file=$work/server.json"
	fi

	vfiobar fill "$bdf" "$bar" "$offset" $((2 * span)) 0xa5 || return 1
	counted=true
	[ "$target" != qemu-nvme ] || counted=false
	[ $counted = false ] || control reset-counts "$device" >/dev/null || return 1
	control clear-mkey "hca$hca" >/dev/null || return 1
	control mark "begin-$id" >/dev/null || return 1
	bandwidth
	control mark "end-$id" >/dev/null || return 1
	counts='{"counts":[]}'
	[ $counted = false ] || counts=$(control counts "$device") || return 1
	mkey=$(control mkey "hca$hca") || return 1
	# Behind a translating IOMMU only the requester knows the BAR's DMA address.
	window=$(sed -n "$((bar + 1))p" "/sys/bus/pci/devices/$bdf/resource" | cut -d ' ' -f 1-2)
	if [ "$iommu" = translated ]; then
		window=$(echo "$mkey" | jq -r '"\(.dma_low // 0) \(.dma_high // 1)"')
		window="${window% *} $((${window#* } - 1))"
	fi
	judge
	leave_row
}

status=0
while read -r id target device bdf bar mode width hca st st_ext ph size iters offset expect; do
	echo "run $id: $target, ST $st, Extended ST $st_ext, $mode mode, ${width}-bit requester" >&2
	vfio_bind "$bdf"
	bar_run || status=1
	vfio_give_back_all
done </mnt/job/plan
exit $status
