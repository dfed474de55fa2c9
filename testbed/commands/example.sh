#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph example: the programs of librdmacm-examples between two name spaces, what they say, and what the
# completer counted.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph example'

kinds='' json=''
while [ $# -gt 0 ]; do
	case $1 in
	bar | tags) kinds="$kinds $1" ;;
	--json) output_file --json "${2:-}" && json=$2 && shift ;;
	--json=*) output_file --json "${1#*=}" && json=${1#*=} ;;
	--installed)
		TPH_INSTALLED=1
		# shellcheck disable=SC2034 # for installed_prepare
		TPH_INSTALLED_NEEDS=rdma-bar-examples
		;;
	--dry-run) GUEST_DRY_RUN=1 ;;
	-*) usage_error "unknown option $1" ;;
	*) usage_error "no example '$1'; there are bar and tags" ;;
	esac
	shift
done

guest_build
guest_prepare "$TPH_TOP/testbed/devices"
sh "$TPH_TOP/testbed/example/plan.sh" "${kinds:-bar tags}" >"$TPH_RUN_DIR/job/plan"
echo 'exec sh /mnt/src/testbed/example/guest.sh' >"$TPH_RUN_DIR/job/command"
guest_run
[ -z "${GUEST_DRY_RUN:-}" ] || exit 0
status=$GUEST_STATUS
in_sandbox sh /src/testbed/example/report.sh || status=1
guest_dmesg_check || status=1
[ -z "$json" ] || cp "$TPH_RUN_DIR/example.json" "$json"
in_sandbox jq -r -f /src/testbed/example/table.jq /run/tph/example.json
[ "$status" -eq 0 ] || exit 1
