#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox, after the boot: matrix.json, of what the guest saw (job/rows, job/results), what was on the wire (trace.bin) and what
# was planned (job/plan, job/cells). Argument as plan.py. Exit status 1 when any cell is not as it has to be.
set -eu
export PYTHONPATH=/src PYTHONDONTWRITEBYTECODE=1
cd /run/tph
# shellcheck source=/dev/null
. ./settings
status=0
sh /src/testbed/run/report.sh || status=1
"$PROGRAMS/tlpdump" --flows --json trace.bin >flows.json
python3 -m testbed.matrix.judge . "$1" >matrix.json || status=1
exit $status
