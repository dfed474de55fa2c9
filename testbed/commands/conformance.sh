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
in_sandbox jq -n -R --arg kernel "$(cat "$KERNEL/release")" --arg qemu "$(guest_qemu)" -f /src/testbed/conformance/report.jq \
	/run/tph/job/verdicts >"$TPH_RUN_DIR/report.json"
json_result "$TPH_RUN_DIR/report.json"
in_sandbox jq -r -f /src/testbed/conformance/table.jq /run/tph/report.json
guest_dmesg_check "$TPH_TOP"/tests/conformance/[0-9]* || status=1
# What soft-RoCE fails is for comparison.
in_sandbox jq -e '([.suites[] | select(.device != "rxe0") | .failed] | add // 0) == 0' \
	/run/tph/report.json >/dev/null || status=1
exit "$status"
