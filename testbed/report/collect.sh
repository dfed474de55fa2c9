#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox, after a boot of guest.sh: what of the trace belongs to the report, and the report.
# Argument: repeats. Writes report.json; exit status 1 when it is not as it has to be.
set -eu
export PYTHONPATH=/src PYTHONDONTWRITEBYTECODE=1
cd /run/tph
# shellcheck source=/dev/null
. ./settings
dump="$PROGRAMS/tlpdump --json"
for chain in 8=hca1 16=hca2; do
	width=${chain%=*}
	$dump --from "chain-$width" --to "chain-$width-end" --source "${chain#*=}" --target gpu0 --type MWr --limit 1 \
		trace.bin >"tlp-$width.json"
done
window=$(python3 -m testbed.report.evidence window tlp-8.json)
for hca in hca1 hca2; do
	$dump --summary --from tags --to tags-end --source $hca --window "$window" trace.bin >"tags-$hca.json"
done
python3 -m testbed.report.assemble . "$1" \
	"$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')" >report.json
