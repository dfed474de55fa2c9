#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox, after a boot of guest.sh: put together what the guest saw (job/rows/N.json), what
# was on the wire (trace.bin) and what was expected (job/plan). Writes report.json.
# Exit status 1 when any run is not as expected. Argument: IOMMU mode.
set -eu
cd /run/tph
# shellcheck source=/dev/null
. ./settings

# width ST ST_EXT WIDTH: hint a TLP must carry, as tlpdump takes it.
expected_hint()
{
	tag=$1
	[ "$3" = 8 ] || tag=$2
	echo "ph=$4,st=$tag,width=$3"
}

: >rows
while read -r id target device bdf bar mode width hca st st_ext ph size iters offset expect; do
	row=job/rows/$id.json
	if [ ! -s "$row" ]; then
		echo "run $id ($target): the guest left no result" >&2
		continue
	fi
	hint=none
	[ "$expect" != hint ] || hint=$(expected_hint "$st" "$st_ext" "$width" "$ph")
	base=$(jq -r .window.base "$row")
	end=$(jq -r .window.end "$row")
	"$PROGRAMS/tlpdump" --summary --json --from "begin-$id" --to "end-$id" --source "hca$hca" \
		--window "$base,$((end - base + 1))" --expect "$hint" trace.bin >tlp.json
	jq -c --slurpfile tlp tlp.json --arg expect "$expect" --arg iommu "$1" \
		-f /src/testbed/run/row.jq "$row" >>rows
done <job/plan

jq -s --arg kernel "$(cat job/kernel)" \
	--arg qemu "$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')" \
	--arg iommu "$1" --slurpfile host job/host-memory.json \
	'{kernel: $kernel, qemu: $qemu, iommu: $iommu, runs: ., host_memory: $host[0]}' rows >report.json
[ "$(jq '.runs | length' report.json)" -eq "$(wc -l <job/plan)" ] &&
	jq -e 'all(.runs[]; .as_expected)' report.json >/dev/null
