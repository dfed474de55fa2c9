#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph matrix: operations, targets, hints, modes, sizes and numbers of QPs, crossed. Every byte is
# verified, and every TLP's hint at the completer and on the wire.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph matrix'

quick=false json=''
while [ $# -gt 0 ]; do
	case $1 in
	--quick) quick=true ;;
	--json) output_file --json "${2:-}" && json=$2 && shift ;;
	--json=*) output_file --json "${1#*=}" && json=${1#*=} ;;
	--dry-run) GUEST_DRY_RUN=1 ;;
	-*) usage_error "unknown option $1" ;;
	*) usage_error "unexpected argument $1" ;;
	esac
	shift
done

guest_build
guest_prepare "$TPH_TOP/testbed/matrix/devices"
in_sandbox sh -eu /src/testbed/matrix/plan.sh "$quick"
echo pt >"$TPH_RUN_DIR/job/iommu"
echo 'exec sh /mnt/src/testbed/matrix/guest.sh' >"$TPH_RUN_DIR/job/command"
[ -n "${GUEST_DRY_RUN:-}" ] ||
	say "booting for $(wc -l <"$TPH_RUN_DIR/job/cells") cells and $(wc -l <"$TPH_RUN_DIR/job/plan") runs of ib_write_bw"
guest_run
[ -z "${GUEST_DRY_RUN:-}" ] || exit 0
status=$GUEST_STATUS
in_sandbox sh /src/testbed/matrix/report.sh "$quick" || status=1
guest_dmesg_check || status=1
[ -z "$json" ] || cp "$TPH_RUN_DIR/matrix.json" "$json"
in_sandbox jq -r -f /src/testbed/matrix/table.jq /run/tph/matrix.json
[ "$status" -eq 0 ] || exit 1
