#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: the property test of the transport, with the sanitizers; HCA_PACKETS and HCA_SEED as hca/tests/test_wire_traffic.c has them.
# Each of several processes has its part of the packets, and seeds of its own: a run waits for late packets more than it works.
set -eu
cmake -G Ninja -S /src -B /tmp/build -DCMAKE_C_COMPILER_LAUNCHER=ccache >/dev/null
ninja -C /tmp/build hca_test_wire_traffic >/dev/null
parts=16 running=
[ -z "${HCA_SEED:-}" ] || parts=1
export HCA_PACKETS=$((HCA_PACKETS / parts))
while [ "$parts" -gt 0 ]; do
	/tmp/build/hca/hca_test_wire_traffic >"/tmp/part$parts" 2>&1 &
	running="$running $parts=$!"
	parts=$((parts - 1))
done
status=0
for part in $running; do
	wait "${part#*=}" || status=1
	cat "/tmp/part${part%=*}"
done
exit $status
