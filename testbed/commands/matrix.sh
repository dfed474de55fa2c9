# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph matrix: operations, targets, hints, modes, sizes and numbers of QPs, crossed. Every byte is
# verified, and every TLP's hint at the completer and on the wire.
quick=false
[ -z "$OPT_QUICK" ] || quick=true

guest_build
guest_prepare "$TPH_TOP/testbed/matrix/devices"
[ -n "$OPT_DRY_RUN" ] || in_sandbox sh -eu /src/testbed/matrix/plan.sh "$quick"
echo pt >"$TPH_RUN_DIR/job/iommu"
echo 'exec sh /mnt/src/testbed/matrix/guest.sh' >"$TPH_RUN_DIR/job/command"
[ -n "$OPT_DRY_RUN" ] ||
	say "booting for $(wc -l <"$TPH_RUN_DIR/job/cells") cells and $(wc -l <"$TPH_RUN_DIR/job/plan") runs of ib_write_bw"
guest_run
[ -z "$OPT_DRY_RUN" ] || exit 0
status=$GUEST_STATUS
in_sandbox sh /src/testbed/matrix/report.sh "$quick" || status=1
guest_dmesg_check || status=1
json_result "$TPH_RUN_DIR/matrix.json"
in_sandbox jq -r -f /src/testbed/matrix/table.jq /run/tph/matrix.json
[ "$status" -eq 0 ] || exit 1
