# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph conformance: test suites that nobody here wrote, on the emulated HCA and on soft-RoCE.
devices=$(echo "${OPT_DEVICE:-mlx5_0
rxe0}" | xargs)
whole=whole
[ -z "$OPT_SELECTION" ] || whole=selection

guest_build
guest_prepare "$TPH_TOP/testbed/devices"
cat >"$TPH_RUN_DIR/job/command" <<EOF
exec sh /mnt/src/tests/conformance/judge/run.sh /mnt/job/verdicts $whole '$devices' $*
EOF
guest_run
[ -z "$OPT_DRY_RUN" ] || exit 0
status=0
[ "$GUEST_STATUS" -eq 0 ] || die "the suites ended with status $GUEST_STATUS"
sandbox_python conformance.report /run/tph/job/verdicts "$(cat "$KERNEL/release")" "$(guest_qemu)" >"$TPH_RUN_DIR/report.json" || status=1
json_result "$TPH_RUN_DIR/report.json"
sandbox_python conformance.table /run/tph/report.json
guest_dmesg_check "$TPH_TOP"/tests/conformance/[0-9]* || status=1
exit "$status"
