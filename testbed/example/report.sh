#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox, after the boot: example.json, from what the guest saw (job/results), what was on the wire
# (trace.bin) and what was to be run (job/plan). Exit status 1 when anything is not as expected.
set -eu
cd /run/tph
# shellcheck source=/dev/null
. ./settings
[ -f job/results ] || : >job/results
"$PROGRAMS/tlpdump" --flows --json trace.bin >flows.json
jq -n --arg kernel "$(cat job/kernel)" \
	--arg qemu "$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')" \
	--arg iommu "$IOMMU" --rawfile plan job/plan --slurpfile results job/results \
	--slurpfile flows flows.json -f /src/testbed/example/judge.jq >example.json
jq -e '.failed == 0 and .passed > 0' example.json >/dev/null
