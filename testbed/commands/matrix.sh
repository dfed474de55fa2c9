# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph matrix: operations, targets, hints, modes, sizes and numbers of QPs, crossed. Every byte is
# verified, and every TLP's hint at the completer and on the wire.
length=full
[ -z "$OPT_QUICK" ] || length=quick
GUEST_TOPOLOGY=$OPT_TOPOLOGY
[ -z "$(topology_others "$GUEST_TOPOLOGY")" ] || usage_error "--topology $GUEST_TOPOLOGY: the cells are of one machine, and this one has more"

guest_build
guest_prepare "$TPH_TOP/testbed/matrix/devices"
[ -n "$OPT_DRY_RUN" ] || sandbox_python matrix.plan /run/tph "$length"
echo pt >"$TPH_RUN_DIR/job/iommu"
echo 'exec sh /mnt/src/testbed/matrix/guest.sh' >"$TPH_RUN_DIR/job/command"
[ -n "$OPT_DRY_RUN" ] ||
	say "booting for $(wc -l <"$TPH_RUN_DIR/job/cells") cells and $(wc -l <"$TPH_RUN_DIR/job/plan") runs of ib_write_bw"
guest_run
[ -z "$OPT_DRY_RUN" ] || exit 0
status=$GUEST_STATUS
in_sandbox sh /src/testbed/matrix/report.sh "$length" || status=1
guest_dmesg_check || status=1
json_result "$TPH_RUN_DIR/matrix.json"
sandbox_python matrix.table /run/tph/matrix.json
[ "$status" -eq 0 ] || exit 1
