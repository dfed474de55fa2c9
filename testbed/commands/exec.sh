#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph exec [OPTION...] [--] CMD ARG...: run a command in a freshly booted guest.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph exec'
guest_options "$@"
shift $(($# - GUEST_ARGUMENTS))
[ $# -gt 0 ] || usage_error "no command to run"

guest_build
guest_prepare "${TPH_DEVICES:-$TPH_TOP/testbed/devices}"
{
	printf 'exec'
	for word; do
		printf " '%s'" "$(printf %s "$word" | sed "s/'/'\\\\''/g")"
	done
	echo
} >"$TPH_RUN_DIR/job/command"
guest_run
[ -z "${GUEST_DRY_RUN:-}" ] || exit 0
guest_dmesg_check || [ "$GUEST_STATUS" -ne 0 ] || GUEST_STATUS=125
exit "$GUEST_STATUS"
