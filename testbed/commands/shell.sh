#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph shell [OPTION...]: an interactive shell in a freshly booted guest.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph shell'
guest_options "$@"
[ "$GUEST_ARGUMENTS" -eq 0 ] || usage_error "unexpected argument; to run a command there is ./tph exec"
[ -t 0 ] || [ -n "${GUEST_DRY_RUN:-}" ] || die "needs a terminal; to run a command there is ./tph exec"
GUEST_SHELL=1
guest_build
guest_prepare "${TPH_DEVICES:-$TPH_TOP/testbed/devices}"
set_terminal=$(stty -g 2>/dev/null || :)
[ -z "$set_terminal" ] || on_exit "stty $set_terminal"
{
	stty size 2>/dev/null | tr ' ' '\n' || printf '24\n80\n'
	echo "${TERM:-vt100}"
} >"$TPH_RUN_DIR/job/shell"
[ -z "$set_terminal" ] || [ -n "${GUEST_DRY_RUN:-}" ] || stty raw -echo
guest_run
[ -z "${GUEST_DRY_RUN:-}" ] || exit 0
[ -z "$set_terminal" ] || stty "$set_terminal"
guest_dmesg_check
