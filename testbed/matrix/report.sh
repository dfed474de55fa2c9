#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox, after the boot: matrix.json, from what the guest saw (job/rows, job/results), what was on the
# wire (trace.bin) and what was expected (job/plan, plan.json). Argument as plan.sh. Exit status 1
# when any cell is not as expected.
set -eu
cd /run/tph
# shellcheck source=/dev/null
. ./settings
status=0
echo '[]' >job/host-memory.json
sh /src/testbed/run/report.sh pt || status=1
[ -f job/results ] || : >job/results
"$PROGRAMS/tlpdump" --flows --json trace.bin >flows.json
jq --argjson quick "$1" --slurpfile results job/results --slurpfile flows flows.json \
	--slurpfile runs report.json -f /src/testbed/matrix/judge.jq plan.json >matrix.json
jq -e '.failed == 0' matrix.json >/dev/null || status=1
exit $status
