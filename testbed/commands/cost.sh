#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph cost: what the series costs who uses hints and who does not.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph cost'

runs=30 most=65536 json='' stock=1
while [ $# -gt 0 ]; do
	case $1 in
	--quick) runs=3 most=64 stock='' ;;
	--no-stock) stock='' ;;
	--most)
		[ $# -ge 2 ] || usage_error "--most needs a value"
		case $2 in
		[1-9] | [1-9][0-9] | [1-9][0-9][0-9] | [1-9][0-9][0-9][0-9] | [1-9][0-9][0-9][0-9][0-9]) most=$2 ;;
		*) most=65537 ;;
		esac
		[ "$most" -le 65536 ] || usage_error "--most takes 1..65536, not '$2'"
		shift
		;;
	--json) output_file --json "${2:-}" && json=$2 && shift ;;
	--json=*) output_file --json "${1#*=}" && json=${1#*=} ;;
	-*) usage_error "unknown option $1" ;;
	*) usage_error "unexpected argument $1" ;;
	esac
	shift
done

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
	say "boot $1: Linux $(cat "$KERNEL/release"), $2"
	guest_run
	[ "$GUEST_STATUS" -eq 0 ] || die "boot $1 ($2) ended with status $GUEST_STATUS"
	guest_dmesg_check || die "boot $1 ($2): see the kernel's messages above"
	# shellcheck disable=SC2016 # jq's variables
	in_sandbox jq -c --argjson boot "$1" --arg kernel "$2" '. + {$boot, $kernel}' /run/tph/job/pairs >>"$out/pairs"
	[ -z "${3:-}" ] || cp "$TPH_RUN_DIR/job/many" "$TPH_RUN_DIR/job/perftest" "$out/"
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
TPH_RUN_DIR=$out
in_sandbox jq -n --arg release "$(cat "$kernel_patched/release")" --argjson runs "$runs" \
	--slurpfile pairs /run/tph/pairs --slurpfile many /run/tph/many \
	--slurpfile perftest /run/tph/perftest -f /src/testbed/cost/report.jq >"$out/cost.json"
[ -z "$json" ] || cp "$out/cost.json" "$json"
in_sandbox jq -r -f /src/testbed/cost/table.jq /run/tph/cost.json
