# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of the chain: a plan is run in one boot, and each run is a case.
. "$TPH_TOP/testbed/test/host-lib.sh"
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/run/plan.sh"

# hint TARGET MODE WIDTH ST ST_EXT PH EXPECT: a run of the plan, - for no tag.
hint()
{
	printf '{"target": "%s", "st_mode": "%s", "width": %d, "st": %s, "st_ext": %s, "ph": %d, "size": %d, "iters": %d}\n' \
		"$1" "$2" "$3" "$4" "$5" "$6" "${size:-65536}" "${iters:-100}" | sed 's/: -,/: null,/g' >>requests
	echo "$7" >>expectations
}

# chain: run the plan, with $GUEST_TOPOLOGY and $GUEST_IMPAIR; one case per run.
chain()
{
	run_plan - <requests || status=1
	equal "$(cat expectations)" "$(in_sandbox jq -r .expected /run/tph/job/plan)" 'expectations'
	in_sandbox jq -r '.runs[] | [(if .as_expected then "pass" else "fail" end),
		([.target, .st_mode, "st=\(.requested.st)", "ext=\(.requested.st_ext)",
		"ph=\(.requested.ph)", "\(.width)-bit", .expected] | join(","))] | join(" ")' \
		/run/tph/report.json >"$TPH_CASES"
	[ -z "${status:-}" ] || in_sandbox jq . /run/tph/report.json
	equal "$(wc -l <requests)" "$(wc -l <"$TPH_CASES")" "number of runs"
	return "${status:-0}"
}

# two_guests TOPOLOGY LINK-LAYER: the HCA function of a second guest writes into the BARs. It takes long, so it is for --full, or when it is named.
two_guests()
{
	[ -n "${TPH_FULL:-}${TPH_NAMED:-}" ] || {
		echo 'two guests more: with --full, or named'
		exit 77
	}
	GUEST_TOPOLOGY=$1 iters=20
	guest_build
	hint gpu table 8 - - 2 plain
	hint gpu table 8 42 - 2 hint
	hint gpu table 16 - 48879 3 hint
	hint gpu direct 8 42 - 2 hint
	hint nvme table 8 7 - 1 hint
	hint gpu-no-tph table 8 42 - 2 refused
	chain
	equal "[\"$1\",[\"$2\"],2,\"right\",\"mlx5_0\"]" "$(in_sandbox jq -c '[.topology, (.runs | map(.link_layer) | unique),
		(.host_memory | length), .machines[0].name, .machines[0].device]' /run/tph/report.json)" \
		'topology, ports, devices of the benchmark without a BAR, machine'
}
