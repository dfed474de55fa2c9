# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by the tests of tph-doctor: what it says of a target.
gpu=0000:00:10.0

# diagnose COMMAND...: runs it, a tph-doctor, with --json; $doctor_status is its exit status, its text is in text
# and its JSON in json. Both have to say the same.
diagnose()
{
	doctor_status=0
	rm -f json
	"$@" --json json >text 2>err || doctor_status=$?
	[ ! -s err ] || fail "$*: $(cat err)"
	jq -r '.checks[] | (.verdict | if . == "problem" then "PROBLEM" else . end | . + " " * (8 - length)) +
		" \(.check): \(.cause)", (.mend // empty | "         mend: " + .)' json >same
	sed '$d' text | diff - same || fail "$*: text and JSON differ"
}

# checks VERDICT: names of the checks with it, in order, on one line.
checks()
{
	jq -r --arg verdict "$1" '[.checks[] | select(.verdict == $verdict).check] | join(" ")' json
}

# healthy COMMAND...: nothing is wrong or unknown.
healthy()
{
	diagnose "$@"
	equal "" "$(checks problem)$(checks unknown)" "$*: what is not ok"
	equal 0 "$doctor_status" "$*: status"
	echo "pass healthy: $*" >>"$TPH_CASES"
}

# named CASE CHECKS TEXT COMMAND...: CHECKS, and no others, have a problem; the cause of the first one has TEXT in
# it.
named()
{
	named_case=$1 named_checks=$2 named_text=$3
	shift 3
	diagnose "$@"
	if [ "$named_checks" != "$(checks problem)" ] || [ "$doctor_status" -ne 1 ]; then
		cat text
		equal "1 $named_checks" "$doctor_status $(checks problem)" "$named_case: status and problems"
	fi
	jq -r --arg check "${named_checks%% *}" '.checks[] | select(.check == $check).cause' json >cause
	grep -qF "$named_text" cause || fail "$named_case: not '$named_text' but '$(cat cause)'"
	echo "pass $named_case" >>"$TPH_CASES"
}
