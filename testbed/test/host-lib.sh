# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of the host: the testbed's functions, and checks.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/host/load.sh"

fail()
{
	echo "FAILED: $*"
	exit 1
}

# equal EXPECTED ACTUAL WHAT
equal()
{
	[ "$1" = "$2" ] || fail "$3: expected '$1', got '$2'"
}

# tph_status STATUS ARG...: ./tph ARG... ends with STATUS; its output is in out and err.
tph_status()
{
	want=$1
	shift
	status=0
	"$TPH_TOP/tph" "$@" >out 2>err || status=$?
	[ "$status" -eq "$want" ] || {
		cat out err
		fail "./tph $*: expected status $want, got $status"
	}
}

# described FILE: this JSON document of the current directory is as docs/json.md says.
described()
{
	(
		SANDBOX_SHARE=$PWD
		in_sandbox python3 -B /src/testbed/test/described.py /src/docs/json.md "/mnt/share/$1" || exit 1
	) || fail "$1 and docs/json.md differ"
}
