# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph shell [OPTION...]: an interactive shell in a freshly booted guest.
guest_options
[ -t 0 ] || [ -n "$OPT_DRY_RUN" ] || die "needs a terminal; to run a command there is ./tph exec"
GUEST_SHELL=1
guest_build
guest_prepare "${OPT_DEVICES:-$TPH_TOP/testbed/devices}"
set_terminal=$(stty -g 2>/dev/null || :)
[ -z "$set_terminal" ] || on_exit "stty $set_terminal"
{
	stty size 2>/dev/null | tr ' ' '\n' || printf '24\n80\n'
	echo "${TERM:-vt100}"
} >"$TPH_RUN_DIR/job/shell"
[ -z "$set_terminal" ] || [ -n "$OPT_DRY_RUN" ] || stty raw -echo
guest_run
[ -z "$OPT_DRY_RUN" ] || exit 0
[ -z "$set_terminal" ] || stty "$set_terminal"
guest_dmesg_check
