# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph trace RUN [OPTION]...: tlpdump on its trace. A file of --pcapng is on the host.
result_find "$1"
shift
trace=$TPH_CACHE/runs/$RESULT.trace
[ -f "$trace" ] || die "$RESULT: its trace is not kept; those of the latest $RESULTS_TRACES runs are ('./tph runs')"
trace_left=$# pcapng=
while [ "$trace_left" -gt 0 ]; do
	trace_word=$1
	shift
	trace_left=$((trace_left - 1))
	case $trace_word in
	--pcapng)
		[ "$trace_left" -gt 0 ] || usage_error "--pcapng needs a FILE"
		pcapng=$1
		shift
		trace_left=$((trace_left - 1))
		set -- "$@" --pcapng -
		;;
	--pcapng=*)
		pcapng=${trace_word#--pcapng=}
		set -- "$@" --pcapng -
		;;
	*) set -- "$@" "$trace_word" ;;
	esac
done
if [ -n "$pcapng" ]; then
	for capture in "$TPH_CACHE/runs/$RESULT".*.pcapng; do
		[ ! -f "$capture" ] || set -- "$@" --packets "/cache/runs/$(basename "$capture")"
	done
fi
build_parts build_programs
set -- "/cache/$(basename "$PROGRAMS")/bin/tlpdump" "$@" "/cache/runs/$RESULT.trace"
case $pcapng in
'' | -) in_sandbox "$@" ;;
*)
	true 2>/dev/null >"$pcapng" || die "--pcapng $pcapng: cannot be written"
	in_sandbox "$@" >"$pcapng"
	say "for Wireshark: wireshark -X lua_script:$TPH_TOP/pcie/tlp.lua $pcapng"
	;;
esac
