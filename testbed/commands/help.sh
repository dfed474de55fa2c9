# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph help [COMMAND]
if [ -n "$OPT_MANUAL" ]; then
	[ $# -eq 0 ] || usage_error "--manual describes all commands, so it takes no COMMAND"
	tph_awk manual
else
	show_help "$@"
fi
