# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph run: the main job. Benchmarks RDMA writes from host memory into exported BARs, without and
# with steering hints, and proves on the emulated wire what arrived.
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/run/plan.sh"
guest_options
GUEST_PCAP=$OPT_PCAP
status=0
guest_build
run_plan --target "$OPT_TARGET" ${OPT_ST:+--st "$OPT_ST"} ${OPT_ST_EXT:+--st-ext "$OPT_ST_EXT"} --ph "$OPT_PH" --size "$OPT_SIZE" \
	--iters "$OPT_ITERS" ${OPT_BAR:+--bar "$OPT_BAR"} --offset "$OPT_OFFSET" ${OPT_ST_MODE:+--st-mode "$OPT_ST_MODE"} \
	${OPT_ST_WIDTH:+--st-width "$OPT_ST_WIDTH"} || status=1
[ -z "$OPT_DRY_RUN" ] || exit 0
json_result "$TPH_RUN_DIR/report.json"
sandbox_python run.table /run/tph/report.json
exit "$status"
