# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph cost: what the series costs who uses hints and who does not.
runs=30 most=${OPT_MOST:-65536} stock=1
if [ -n "$OPT_QUICK" ]; then
	runs=3 most=${OPT_MOST:-64} stock=''
fi
[ -z "$OPT_NO_STOCK" ] || stock=''

stock_kernel()
{
	build_kernel stock
	kernel_stock=$KERNEL
}

# The programs come from this one and run on both.
patched_kernel()
{
	build_kernel plain
	kernel_patched=$KERNEL
}

# boot NUMBER stock|patched [all]: adds what it measured to $out.
boot()
{
	KERNEL=$kernel_patched
	[ "$2" = patched ] || KERNEL=$kernel_stock
	guest_prepare "$TPH_TOP/testbed/cost/devices"
	echo "exec sh /mnt/src/testbed/cost/guest.sh $runs $most ${3:-}" >"$TPH_RUN_DIR/job/command"
	if [ -n "$OPT_DRY_RUN" ]; then
		echo "boot $1, $2 kernel:"
	else
		say "boot $1: Linux $(cat "$KERNEL/release"), $2"
	fi
	guest_run
	[ -z "$OPT_DRY_RUN" ] || return 0
	[ "$GUEST_STATUS" -eq 0 ] || die "boot $1 ($2) ended with status $GUEST_STATUS"
	guest_dmesg_check || die "boot $1 ($2): see the kernel's messages above"
	cp "$TPH_RUN_DIR/job/pairs" "$out/boot-$1-$2"
	[ -z "${3:-}" ] || cp -r "$TPH_RUN_DIR/job/many" "$TPH_RUN_DIR/job/perftest" "$out/"
}

if [ -n "$stock" ]; then
	build_testbed stock_kernel patched_kernel build_kernel_tests
else
	build_testbed patched_kernel build_kernel_tests
fi
run_dir
out=$TPH_RUN_DIR
boot 1 patched all
# Turns, since a boot as a whole may be slow.
if [ -n "$stock" ]; then
	boot 2 stock
	boot 3 patched
	boot 4 stock
else
	boot 2 patched
fi
[ -z "$OPT_DRY_RUN" ] || exit 0
TPH_RUN_DIR=$out
sandbox_python cost.report /run/tph "$(cat "$kernel_patched/release")" "$(guest_qemu)" "$runs" >"$out/cost.json"
json_result "$out/cost.json"
sandbox_python cost.table /run/tph/cost.json
