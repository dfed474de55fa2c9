# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of the chain: a plan is run in one boot, and each run is a case.
. "$TPH_TOP/tests/host-lib.sh"
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/run/plan.sh"

# hint TARGET MODE WIDTH ST ST_EXT PH EXPECT
hint()
{
	equal "$7" "$(plan_expect "$1" "$2" "$3" "$4" "$5")" "expectation of $*"
	plan_row "$1" "$2" "$3" "$4" "$5" "$6" "${size:-65536}" "${iters:-100}" - 0 "$7"
}

# chain: run the plan; one case per run.
chain()
{
	run_plan || status=1
	in_sandbox jq -r '.runs[] | [(if .as_expected then "pass" else "fail" end),
		([.target, .st_mode, "st=\(.requested.st)", "ext=\(.requested.st_ext)",
		"ph=\(.requested.ph)", "\(.width)-bit", .expected] | join(","))] | join(" ")' \
		/run/tph/report.json >"$TPH_CASES"
	[ -z "${status:-}" ] || in_sandbox jq . /run/tph/report.json
	equal "$PLAN_RUNS" "$(wc -l <"$TPH_CASES")" "number of runs"
	return "${status:-0}"
}
