# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# rdma-core's python tests, all modules.
set -- --dev "$device" --port 1
[ -z "$gid" ] || set -- "$@" --gid "$gid"
status=0
timeout -k 10 3000 python3 /mnt/src/tests/conformance/judge/cases.py /usr/share/rdma-core/tests cases "$@" \
	>log 2>&1 </dev/null || status=$?
while IFS=$tab read -r word name cause; do
	verdict "$word" "$name" "$cause"
done <cases
# An interpreter that crashes says nothing of the cases after it.
[ "$status" -eq 0 ] || verdict fail interpreter "status $status: $(tail -n 3 log | tr '\n\t' '; ')"
