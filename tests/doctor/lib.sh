# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of tph-doctor: what it says of a target.
gpu=$(bdf_of gpu0)

# diagnose COMMAND...: runs it, a tph-doctor; $doctor_status is its exit status, its output is in text.
diagnose()
{
	doctor_status=0
	"$@" >text 2>err || doctor_status=$?
	[ ! -s err ] || fail "$*: $(cat err)"
}

# checks VERDICT: names of the checks with it (ok, PROBLEM, unknown), in order, on one line.
checks()
{
	sed -n "s/^$1 *\([a-z0-9-]*\): .*/\1/p" text | xargs
}

# says CHECK TEXT WHAT: the last output has TEXT in the line of CHECK.
says()
{
	grep "^[a-zA-Z]* *$1: " text >line || fail "$3: nothing about $1"
	grep -qF -- "$2" line || fail "$3: not '$2' but '$(cat line)'"
}

# healthy COMMAND...: nothing is wrong or unknown.
healthy()
{
	diagnose "$@"
	equal "" "$(checks PROBLEM)$(checks unknown)" "$*: what is not ok"
	equal 0 "$doctor_status" "$*: status"
	echo "pass healthy: $*" >>"$TPH_CASES"
}

# named CASE CHECKS TEXT COMMAND...: CHECKS, and no others, have a problem; the line of the first one has TEXT
# in it.
named()
{
	named_case=$1 named_checks=$2 named_text=$3
	shift 3
	diagnose "$@"
	if [ "$named_checks" != "$(checks PROBLEM)" ] || [ "$doctor_status" -ne 1 ]; then
		cat text
		equal "1 $named_checks" "$doctor_status $(checks PROBLEM)" "$named_case: status and problems"
	fi
	says "${named_checks%% *}" "$named_text" "$named_case"
	echo "pass $named_case" >>"$TPH_CASES"
}
