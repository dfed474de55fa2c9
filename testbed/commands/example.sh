# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph example: the programs of librdmacm-examples between two name spaces, what they say, and what the
# completer counted.
# shellcheck disable=SC2153 # an option, see example.options
TPH_INSTALLED=$OPT_INSTALLED
# shellcheck disable=SC2034 # for installed_check
TPH_INSTALLED_NEEDS=rdma-bar-examples
guest_build
guest_prepare "$TPH_TOP/testbed/devices"
[ -n "$OPT_DRY_RUN" ] || sandbox_python example.plan /run/tph "$@"
echo 'exec sh /mnt/src/testbed/example/guest.sh' >"$TPH_RUN_DIR/job/command"
guest_run
[ -z "$OPT_DRY_RUN" ] || exit 0
status=$GUEST_STATUS
in_sandbox sh /src/testbed/example/report.sh || status=1
guest_dmesg_check || status=1
json_result "$TPH_RUN_DIR/example.json"
sandbox_python example.table /run/tph/example.json
[ "$status" -eq 0 ] || exit 1
