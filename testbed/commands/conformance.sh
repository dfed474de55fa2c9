#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph conformance: test suites that nobody here wrote, on the emulated HCA and on soft-RoCE.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph conformance'
# Files of tests/conformance/judge, in the order in which they run.
all='rdma-core-python pingpong perftest ucx libfabric qperf'

json='' devices='' judges='' whole=whole
while [ $# -gt 0 ]; do
	case $1 in
	--json) output_file --json "${2:-}" && json=$2 && shift ;;
	--json=*) output_file --json "${1#*=}" && json=${1#*=} ;;
	--device)
		case ${2:-} in
		mlx5_0 | mlx5_1 | rxe0) devices="$devices $2" ;;
		*) usage_error "--device takes mlx5_0, mlx5_1 or rxe0, not '${2:-}'" ;;
		esac
		shift
		;;
	--selection) whole=selection ;;
	-*) usage_error "unknown option $1" ;;
	*)
		case " $all " in
		*" $1 "*) ;;
		*) usage_error "no suite '$1'; there are $all" ;;
		esac
		judges="$judges $1"
		;;
	esac
	shift
done

guest_build
guest_prepare "$TPH_TOP/testbed/devices"
cat >"$TPH_RUN_DIR/job/command" <<EOF
exec sh /mnt/src/tests/conformance/judge/run.sh /mnt/job/verdicts $whole '${devices:-mlx5_0 rxe0}' ${judges:-$all}
EOF
guest_run
status=0
[ "$GUEST_STATUS" -eq 0 ] || die "the suites ended with status $GUEST_STATUS"
in_sandbox jq -n -R --arg kernel "$(cat "$KERNEL/release")" -f /src/testbed/conformance/report.jq \
	/run/tph/job/verdicts >"$TPH_RUN_DIR/report.json"
[ -z "$json" ] || cp "$TPH_RUN_DIR/report.json" "$json"
in_sandbox jq -r -f /src/testbed/conformance/table.jq /run/tph/report.json
guest_dmesg_check "$TPH_TOP"/tests/conformance/[0-9]* || status=1
# What soft-RoCE fails is for comparison.
in_sandbox jq -e '([.suites[] | select(.device != "rxe0") | .failed] | add // 0) == 0' \
	/run/tph/report.json >/dev/null || status=1
exit "$status"
