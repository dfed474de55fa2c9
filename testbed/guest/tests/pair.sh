#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tests of pair_run and listens. Argument: the checkout. Prints a line "pass NAME" for each case, ends with 1 at the first that fails.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=testbed/guest/pair.sh
. "$1/testbed/guest/pair.sh"
cd "$dir"
cat >server.sh <<'END'
echo "server $*"
echo "$$" >pid
: >ready
until [ -e asked ]; do
	sleep 0.02
done
exit "$1"
END
cat >client.sh <<'END'
echo "client $*" >&2
[ -z "${2:-}" ] || : >asked
exit "$1"
END

# is EXPECTED ACTUAL WHAT
is()
{
	[ "$1" = "$2" ] || {
		echo "fail $3: expected '$1', got '$2'"
		exit 1
	}
	echo "pass $3"
}

# run EXPECTED WHAT SERVER CLIENT
run()
{
	rm -f ready asked pid
	pair_run 'test -e ready' "$3" "$4"
	is "$1" "$server_status $client_status" "$2"
}
run '0 0' 'both succeed' 'sh server.sh 0 x' 'sh client.sh 0 asks'
is '  server: server 0 x
  client: client 0 asks' "$(pair_says)" 'what they say'
run '3 0' 'the server fails' 'sh server.sh 3' 'sh client.sh 0 asks'
run '3 4' 'both fail' 'sh server.sh 3' 'sh client.sh 4 asks'
run '143 4' 'a server that nobody asks any more is ended' 'sh server.sh 0' 'sh client.sh 4'
is gone "$(kill -0 "$(cat pid)" 2>/dev/null || echo gone)" 'it is gone'
echo 'exit 5' >early.sh
run '5 1' 'a server that ends before it is ready has no client' 'sh early.sh' 'sh client.sh 0 asks'
is no "$([ -e asked ] && echo yes || echo no)" 'it was not started'
pair_seconds=1
run '143 124' 'a client that takes too long' 'sh server.sh 0' 'sleep 100'
pair_seconds='' pair_serves_on=yes
run '143 0' 'a server that would serve on' 'sh server.sh 0' 'sh client.sh 0'
pair_serves_on='' pair_dir=$dir/there
mkdir there
run '0 0' 'files elsewhere' 'sh server.sh 0 y' 'sh client.sh 0 asks'
is 'server 0 y' "$(cat there/server.out)" 'what the server said'

# 0.0.0.0:4660, and a connection to the other port.
printf '  sl  local_address rem_address   st\n 0: 00000000:1234 00000000:0000 0A\n 1: 00000000:1235 0100007F:9999 01\n' >tcp
looks()
{
	shift
	command grep "$1" "$2" tcp
}
is yes "$(listens 4660 looks && echo yes || echo no)" 'a port on which somebody listens'
is no "$(listens 4661 looks && echo yes || echo no)" 'one of a connection'
