# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph trace RUN [OPTION]...: tlpdump on its trace.
result_find "$1"
shift
trace=$TPH_CACHE/runs/$RESULT.trace
[ -f "$trace" ] || die "$RESULT: its trace is not kept; those of the latest $RESULTS_TRACES runs are ('./tph runs')"
build_parts build_programs
in_sandbox "/cache/$(basename "$PROGRAMS")/bin/tlpdump" "$@" "/cache/runs/$RESULT.trace"
