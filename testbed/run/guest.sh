#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # members of the rows of the plan
# In the guest: the runs of /mnt/job/plan (plan.py). Each leaves a directory /mnt/job/rows/N for judge.py: outcome, the answers
# of the emulator (mkey, and counts when it counts for the target), the documents of perftest, the line of the BAR in sysfs.
set -eu
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/control.sh
# shellcheck source=/dev/null
. /mnt/src/testbed/guest/vfio.sh
# shellcheck source=testbed/guest/row.sh
. /mnt/src/testbed/guest/row.sh
# shellcheck source=testbed/run/bandwidth.sh
. /mnt/src/testbed/run/bandwidth.sh
# shellcheck source=testbed/guest/ethernet.sh
. /mnt/src/testbed/guest/ethernet.sh
mkdir -p /mnt/job/rows
uname -r >/mnt/job/kernel
work=$(mktemp -d)
trap vfio_give_back_all EXIT
trap 'exit 130' INT TERM

# leave: what is known of the run, for the judge. What failed, and was not to be refused, says why.
leave()
{
	errno=$(sed -n 's/.*(\(E[A-Z0-9]*\)).*/\1/p' "$work/server.err" | head -n 1)
	verified=null
	if [ "$server_status" -eq 0 ] && [ "$client_status" -eq 0 ]; then
		verified=false
		! vfiobar compare "$bdf" "$bar" $((offset + span)) "$work/sent" "$size" >&2 ||
			verified=true
	elif [ "$expected" != refused ] || [ -z "$errno" ]; then
		status=1
		bandwidth_messages
	fi
	printf '{"server": %d, "client": %d, "errno": "%s", "verified": %s, "link": "%s"}\n' "$server_status" "$client_status" "$errno" \
		$verified "$(cat "/sys/class/infiniband/$rdma_device/ports/1/link_layer")" \
		>"$left/outcome"
	for file in client server; do
		[ ! -s "$work/$file.json" ] || cp "$work/$file.json" "$left/"
	done
	sed -n "$((bar + 1))p" "/sys/bus/pci/devices/$bdf/resource" >"$left/resource"
	mv "$left" "/mnt/job/rows/$id"
}

# bar_run: the run described by the variables that come from the plan.
bar_run()
{
	# perftest fills its buffer with random bytes, sends the first half, and takes the peer's
	# writes in the second half; on the client the buffer is this file.
	span=$((size > 4096 ? size : 4096))
	common_args="-s $size -n $iters -F"
	rdma_device=$(basename "/sys/bus/pci/devices/$hca_bdf/infiniband/"*)
	name_space "$hca" || return 1
	server_args="-d $rdma_device $space_options --use_vfio=$bdf --vfio_bar=$bar --vfio_offset=$offset"
	server_address=$space_address in_server=$space_in
	space_device=mlx5_0
	name_space "$client" || return 1
	# An MTU of Ethernet's size is less than a packet of InfiniBand has, and both sides take what they have.
	[ -n "$space_machine" ] || common_args="$common_args -m 4096"
	client_args="-d $space_device $space_options --mmap=$work/sent" in_client=$space_in
	client_machine=$space_machine sent_bytes=$((2 * span))
	truncate -s "$sent_bytes" "$work/sent"
	spec=ph=$ph
	[ "$st" = - ] || spec=st=$st,$spec
	[ "$st_ext" = - ] || spec=st_ext=$st_ext,$spec
	# perftest requires the hint, unless it is known that this HCA function cannot send it.
	[ "$expected" != plain ] || spec=$spec,auto
	if [ "$st,$st_ext" != -,- ]; then
		server_args="$server_args --dmabuf-tph=$spec --out_json --out_json_file=$work/server.json"
	fi

	vfiobar fill "$bdf" "$bar" "$offset" $((2 * span)) 0xa5 || return 1
	left=$(mktemp -d /mnt/job/left.XXXXXX)
	# QEMU's own endpoint does not count.
	[ "$target" = qemu-nvme ] || control reset-counts "$device" >/dev/null || return 1
	control clear-mkey "$hca" >/dev/null || return 1
	control mark "begin-$id" >/dev/null || return 1
	bandwidth
	control mark "end-$id" >/dev/null || return 1
	[ "$target" = qemu-nvme ] || control counts "$device" >"$left/counts" || return 1
	control mkey "$hca" >"$left/mkey" || return 1
	leave
}

status=0
while IFS= read -r line; do
	row_members "$line" id target device bdf bar st_mode width hca hca_bdf client st st_ext ph size iters offset expected
	echo "run $id: $target, ST $st, Extended ST $st_ext, $st_mode mode, ${width}-bit requester" >&2
	vfio_bind "$bdf"
	bar_run || status=1
	vfio_give_back_all
done </mnt/job/plan
control switch >/mnt/job/switch || status=1
exit $status
