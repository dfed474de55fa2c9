#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox, after the boot: example.json, of what the guest saw (job/results), what was on the wire
# (trace.bin) and what was planned (job/plan). Exit status 1 when anything is not as it has to be.
set -eu
export PYTHONPATH=/src PYTHONDONTWRITEBYTECODE=1
cd /run/tph
# shellcheck source=/dev/null
. ./settings
"$PROGRAMS/tlpdump" --flows --json trace.bin >flows.json
python3 -m testbed.example.judge . "$(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')" "$IOMMU" >example.json
