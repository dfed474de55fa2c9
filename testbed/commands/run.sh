# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph run: the main job. Benchmarks RDMA writes from host memory into exported BARs, without and
# with steering hints, and proves on the emulated wire what arrived.
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/run/plan.sh"
guest_options
status=0

# add TARGET MODE WIDTH ST ST_EXT: a run with the options given.
add()
{
	runs=$OPT_ITERS
	# QEMU's CMB takes 8 bytes per access, so fewer rounds say the same.
	[ "$1" != qemu-nvme ] || [ "$runs" -le 50 ] || runs=50
	plan_row "$1" "$2" "$3" "$4" "$5" "$OPT_PH" "$OPT_SIZE" "$runs" "${OPT_BAR:--}" "$OPT_OFFSET" \
		"$(plan_expect "$@")"
}

plan()
{
	targets=$OPT_TARGET
	[ "$targets" != all ] || targets='gpu nvme gpu-no-tph qemu-nvme'
	mode=${OPT_ST_MODE:-table} width=$OPT_ST_WIDTH
	for one in $targets; do
		add "$one" "$mode" "${width:-8}" - -
		if [ -n "$OPT_ST$OPT_ST_EXT" ]; then
			default=8
			[ -n "$OPT_ST" ] || default=16
			add "$one" "$mode" "${width:-$default}" "${OPT_ST:--}" "${OPT_ST_EXT:--}"
			continue
		fi
		add "$one" "$mode" "${width:-8}" 42 -
		case $one in
		gpu | nvme) add "$one" "$mode" "${width:-16}" - 48879 ;;
		esac
		[ "$one" != gpu ] || [ -n "$OPT_ST_MODE" ] || add gpu direct "${width:-8}" 42 -
	done
}

guest_build
plan_begin
plan
run_plan || status=1
[ -z "$OPT_DRY_RUN" ] || exit 0
json_result "$TPH_RUN_DIR/report.json"
in_sandbox jq -r -f /src/testbed/run/table.jq /run/tph/report.json
exit "${status:-0}"
