#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tests of on. Argument: the checkout. Prints a line "pass NAME" for each case, ends with 1 at the first that fails.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export on_machines="$dir"
mkdir -p "$dir/right/requests"
on=$1/testbed/guest/on

# is EXPECTED ACTUAL WHAT
is()
{
	[ "$1" = "$2" ] || {
		echo "fail $3: expected '$1', got '$2'"
		exit 1
	}
	echo "pass $3"
}

# answer STATUS: what the machine says to one command, which is left in $dir/asked.
answer()
{
	until asked=$(find "$dir/right/requests" -name '*.command' | grep .); do
		sleep 0.05
	done
	sh "$asked" >"${asked%.command}.out" 2>"${asked%.command}.err" || :
	mv "$asked" "$dir/asked"
	echo "$1" >"${asked%.command}.new"
	mv "${asked%.command}.new" "${asked%.command}.status"
}

answer 7 &
status=0
said=$("$on" right printf '%s|' "it's" 'two words' '' "\$HOME" 2>"$dir/err") || status=$?
wait
is "7 it's|two words||\$HOME|" "$status $said" 'words, output, status'
is '' "$(cat "$dir/err")$(ls "$dir/right/requests")" 'nothing is left'
answer 0 &
status=0
said=$("$on" right sh -c 'ls | wc -l; echo wrong >&2' 2>"$dir/err") || status=$?
wait
is '0 0 wrong' "$status $said $(cat "$dir/err")" 'an empty directory, errors'
status=0
said=$("$on" nobody true 2>&1) || status=$?
is '2 on nobody: there is no such machine' "$status $said" 'no such machine'
"$on" right sleep 100 &
asks=$!
until find "$dir/right/requests" -name '*.command' | grep -q .; do
	sleep 0.05
done
kill -TERM $asks
status=0
wait $asks || status=$?
is 143 "$status" 'ended'
is 1 "$(find "$dir/right/requests" -name '*.kill' | wc -l)" 'its command, too'
