#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tests of requests.sh, with on as the one that asks. Argument: the checkout. Prints a line "pass NAME" for each case, ends with 1 at the first that
# fails.
set -eu
dir=$(mktemp -d)
export on_machines="$dir"
on=$1/testbed/guest/on
# shellcheck source=testbed/guest/requests.sh
. "$1/testbed/guest/requests.sh"
requests_job=$dir/right
mkdir "$dir/right"
trap ': >"$dir/right/stop"; wait; rm -rf "$dir"' EXIT

# is EXPECTED ACTUAL WHAT
is()
{
	[ "$1" = "$2" ] || {
		echo "fail $3: expected '$1', got '$2'"
		exit 1
	}
	echo "pass $3"
}

# soon COMMAND...: it succeeds within some seconds.
soon()
{
	tries=200
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# left SUFFIX: what is in the file of the one command that is not cleaned up; 1: there is none.
left()
{
	for left_file in "$dir"/right/requests/*."$1"; do
		[ ! -s "$left_file" ] || {
			cat "$left_file"
			return
		}
	done
	return 1
}

(requests_serve mlx5_0 10.8.0.101 3) &
soon [ -e "$dir/right/ready" ]
is 'mlx5_0 10.8.0.101 3' "$(cat "$dir/right/place")" 'what is said of the machine'
status=0
said=$("$on" right sh -c 'echo out; echo err >&2; exit 5' 2>"$dir/err") || status=$?
is '5 out err' "$status $said $(cat "$dir/err")" 'output and status'
is '' "$(ls "$dir/right/requests")" 'nothing is left'
"$on" right sleep 100 &
asks=$!
"$on" right true
is 0 $? 'another one meanwhile'
soon left group >/dev/null
group=$(left group)
is yes "$(kill -0 "-$group" 2>/dev/null && echo yes || echo no)" 'it runs'
kill -TERM $asks
wait $asks || :
gone()
{
	! kill -0 "-$group" 2>/dev/null
}
soon gone || :
is no "$(gone && echo no || echo yes)" 'it is ended with who asked'
# It is said once.
soon left status >/dev/null
is 137 "$(left status)" 'its status'
is 0 "$(find "$dir/right/requests" -name '*.kill' | wc -l)" 'nobody is ended twice'
: >"$dir/right/stop"
wait
echo 'pass the end'
