# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph report: bandwidth, latency, tags and the chain of one write, measured in one guest, as one page.
out=$OPT_OUT from=$OPT_FROM plan=full status=0
[ -z "$OPT_QUICK" ] || plan=quick
check_output --out "$out"
[ -z "$from" ] || [ -z "$OPT_QUICK$OPT_REPEATS$OPT_JSON$OPT_DRY_RUN" ] ||
	usage_error "--from measures nothing, so it goes with --out only"
repeats=$OPT_REPEATS
if [ -z "$repeats" ]; then
	repeats=5
	[ "$plan" = full ] || repeats=1
fi

if [ -n "$from" ]; then
	cache_lock
	sandbox_prepare
	cache_unlock
	run_dir
	cp "$from" "$TPH_RUN_DIR/report.json"
else
	guest_build
	guest_prepare "$TPH_TOP/testbed/report/devices"
	cp "$TPH_TOP/testbed/report/plan-$plan" "$TPH_RUN_DIR/job/plan"
	echo "exec sh /mnt/src/testbed/report/guest.sh $repeats" >"$TPH_RUN_DIR/job/command"
	[ -n "$OPT_DRY_RUN" ] || say "booting; each size is measured $repeats times"
	guest_run
	[ -z "$OPT_DRY_RUN" ] || exit 0
	[ "$GUEST_STATUS" -eq 0 ] || status=1
	in_sandbox sh /src/testbed/report/collect.sh "$repeats" || status=1
	guest_dmesg_check || status=1
	[ -s "$TPH_RUN_DIR/report.json" ] || die "the guest left too little for a report; its messages are above"
	json_result "$TPH_RUN_DIR/report.json"
fi
in_sandbox python3 -B /src/testbed/report/page.py <"$TPH_RUN_DIR/report.json" >"$TPH_RUN_DIR/report.html" || exit 1
cp "$TPH_RUN_DIR/report.html" "$out"
[ -n "$from" ] || sandbox_python report.table /run/tph/report.json
say "the page: $out"
exit "$status"
