# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced: the runs of one boot, planned and judged in the sandbox.

# run_plan WORD...: boot the guest for the plan that plan.py makes of the words. $TPH_RUN_DIR/job/plan has it, and
# $TPH_RUN_DIR/report.json the results afterwards. Returns 1 when a run is not as it has to be or the guest's kernel complained.
run_plan()
{
	guest_prepare "$TPH_TOP/testbed/run/devices"
	if [ -z "$OPT_DRY_RUN" ] || [ -d "$SANDBOX_ROOT" ]; then
		sandbox_python run.plan /run/tph "$@"
	else
		echo "would do: plan the runs in the sandbox; they may need fewer devices than are here"
	fi
	echo "${GUEST_IOMMU:-pt}" >"$TPH_RUN_DIR/job/iommu"
	cat >"$TPH_RUN_DIR/job/command" <<'END'
status=0
sh /mnt/src/testbed/run/guest.sh || status=1
sh /mnt/src/testbed/run/host-memory.sh || status=1
exit $status
END
	[ -n "$OPT_DRY_RUN" ] ||
		say "booting with $(grep -c '^hca ' "$TPH_RUN_DIR/devices") HCA functions for $(wc -l <"$TPH_RUN_DIR/job/plan") runs" \
			"(IOMMU ${GUEST_IOMMU:-pt})"
	run_begin=$(date +%s)
	guest_run
	[ -z "$OPT_DRY_RUN" ] || return 0
	run_status=$GUEST_STATUS
	run_started=$(stat -c %Y "$TPH_RUN_DIR/job/started") run_ended=$(stat -c %Y "$TPH_RUN_DIR/job/status")
	say "the guest took $((run_started - run_begin)) s to start and $((run_ended - run_started)) s for the runs"
	in_sandbox sh /src/testbed/run/report.sh || run_status=1
	guest_dmesg_check || run_status=1
	[ "$run_status" -eq 0 ]
}
