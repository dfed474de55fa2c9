# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph conformance: test suites that nobody here wrote, on the emulated HCA and on soft-RoCE.
devices=$(echo "${OPT_DEVICE:-mlx5_0
rxe0}" | xargs)
whole=whole
[ -z "$OPT_SELECTION" ] || whole=selection
status=0

guest_build
scratch=$(mktemp -d)
on_exit "rm -rf '$scratch'"
for GUEST_TOPOLOGY in $(echo "${OPT_TOPOLOGY:-ib}" | awk '!seen[$0]++'); do
	guest_prepare "$TPH_TOP/testbed/devices"
	cat >"$TPH_RUN_DIR/job/command" <<EOF
exec sh /mnt/src/tests/conformance/judge/run.sh /mnt/job/verdicts $whole '$devices' $*
EOF
	guest_run
	# soft-RoCE is the same with each.
	devices=$(echo "$devices" | tr ' ' '\n' | grep -vx rxe0 | xargs)
	if [ -z "$OPT_DRY_RUN" ]; then
		[ "$GUEST_STATUS" -eq 0 ] || die "the suites ended with status $GUEST_STATUS"
		cat "$TPH_RUN_DIR/job/verdicts" >>"$scratch/verdicts"
		guest_dmesg_check "$TPH_TOP"/tests/conformance*/[0-9]* || status=1
	fi
	[ -n "$devices" ] || break
done
[ -z "$OPT_DRY_RUN" ] || exit 0
mv "$scratch/verdicts" "$TPH_RUN_DIR/verdicts"
sandbox_python conformance.report /run/tph/verdicts "$(cat "$KERNEL/release")" "$(guest_qemu)" >"$TPH_RUN_DIR/report.json" || status=1
json_result "$TPH_RUN_DIR/report.json"
sandbox_python conformance.table /run/tph/report.json
exit "$status"
