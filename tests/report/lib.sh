# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of ./tph report.
. "$TPH_TOP/testbed/test/host-lib.sh"
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/host/roots.sh"

# in_here COMMAND...: in the sandbox, with the test's directory as /mnt/share.
in_here()
{
	SANDBOX_SHARE=$PWD
	in_sandbox "$@"
	SANDBOX_SHARE=
}

# made_up NAME: NAME.json, a report of made-up figures, and NAME.html, its page.
made_up()
{
	in_here sh -eu -c 'cd /src/tests/report
		python3 -B -c "import made_up, pathlib; made_up.make(pathlib.Path(\"/tmp/run\"))"
		PYTHONPATH=/src python3 -B -m testbed.report.assemble /tmp/run 3 11.1.3' >"$1.json"
	"$TPH_TOP/tph" report --from "$1.json" --out "$1.html" 2>&4
}

# check_page NAME: each thing that is seen is a case.
check_page()
{
	check_status=0
	in_here python3 -B /src/tests/report/check.py "/mnt/share/$1.html" "/mnt/share/$1.json" "$(uname -n)" \
		"$TPH_TOP" "$TPH_CACHE" >seen || check_status=$?
	sed "s/ / $1: /" seen >>"$TPH_CASES"
	return "$check_status"
}
