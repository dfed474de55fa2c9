# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What the commands that measure and prove found is kept in the cache: runs/COMMAND-NUMBER.json, and of the latest ones the
# trace of the link as COMMAND-NUMBER.trace, and captures of the ports as COMMAND-NUMBER.NAME.pcapng.

# results_kept COMMAND: whether its documents are kept: there is a module that says what is in them.
results_kept()
{
	case $1 in
	'' | *[!a-z-]*) return 1 ;;
	esac
	[ -f "$TPH_TOP/testbed/$1/document.py" ]
}

RESULTS_MOST=50
RESULTS_TRACES=2

# results_keep FILE: the document is kept. The trace is that of the run directory.
results_keep()
{
	results_kept "$TPH_COMMAND" || return 0
	[ -z "${TPH_FORGET:-}" ] || return 0
	results=$TPH_CACHE/runs
	mkdir -p "$results"
	results_number=$(find "$results" -name "$TPH_COMMAND-*.json" | sed 's/.*-//; s/\.json//' | sort -n | tail -n 1)
	results_number=$((${results_number:-0} + 1))
	while ! (set -C && : >"$results/$TPH_COMMAND-$results_number.json") 2>/dev/null; do
		results_number=$((results_number + 1))
	done
	RESULT=$TPH_COMMAND-$results_number
	cat "$1" >"$results/$RESULT.json"
	[ ! -s "$TPH_RUN_DIR/trace.bin" ] || ln -f "$TPH_RUN_DIR/trace.bin" "$results/$RESULT.trace"
	for results_file in "$TPH_RUN_DIR"/*.pcapng; do
		[ ! -s "$results_file" ] || ln -f "$results_file" "$results/$RESULT.$(basename "$results_file")"
	done
	results_drop json "$RESULTS_MOST"
	results_drop trace "$RESULTS_TRACES"
	say "kept as $RESULT; './tph show $RESULT', './tph compare'"
}

# results_drop SUFFIX MOST: all but the latest.
results_drop()
{
	find "$results" -name "*.$1" -printf '%T@ %p\n' | sort -rn | tail -n "+$(($2 + 1))" | cut -d ' ' -f 2- |
		while read -r results_file; do
			rm -f "$results_file" "${results_file%."$1"}".*.pcapng
			[ "$1" != json ] || rm -f "${results_file%.json}.trace"
		done
}

# result_find WORD: a kept run, the latest one of a command, or a file of --json; sets RESULT and RESULT_FILE.
result_find()
{
	RESULT=$1
	if results_kept "$1"; then
		RESULT_FILE=$(find "$TPH_CACHE/runs" -name "$1-[0-9]*.json" -printf '%T@ %p\n' 2>/dev/null | sort -rn |
			sed -n '1s/^[^ ]* //p')
		[ -n "$RESULT_FILE" ] || die "no run of ./tph $1 is kept; './tph runs' lists those that are"
		RESULT=$(basename "$RESULT_FILE" .json)
		return
	fi
	case $1 in
	*/* | *.json) RESULT_FILE=$1 ;;
	*[!a-z0-9-]*) RESULT_FILE= ;;
	*) RESULT_FILE=$TPH_CACHE/runs/$1.json ;;
	esac
	[ -f "$RESULT_FILE" ] || die "no run '$1' is kept; './tph runs' lists those that are"
}
