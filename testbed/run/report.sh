#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox, after a boot of guest.sh: report.json, of what the guest saw (job/rows), what was on the wire (trace.bin) and what
# was planned (job/plan). Exit status 1 when any run is not as it has to be.
set -eu
export PYTHONPATH=/src PYTHONDONTWRITEBYTECODE=1
cd /run/tph
# shellcheck source=/dev/null
. ./settings
mkdir wire
python3 -m testbed.run.judge wire . >wire/questions
while read -r id options; do
	# shellcheck disable=SC2086 # words
	"$PROGRAMS/tlpdump" --summary --json $options trace.bin >"wire/$id.json"
done <wire/questions
python3 -m testbed.run.judge report . "$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')" >report.json
