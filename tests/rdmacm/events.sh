# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2086,SC2094 # $in_a, $in_b are words; pipes are opened for both
# Sourced by the tests of rdma_cm's events: a server in b and a client in a, each of which prints its events
# (tests/rdmacm/events.py) into the file of its name and takes commands from a pipe.
# shellcheck source=tests/rdmacm/lib.sh
. /mnt/src/tests/rdmacm/lib.sh
events="python3 /mnt/src/tests/rdmacm/events.py"

# server ANSWER [ADDRESS]; $server: its process
server()
{
	rm -f server to-server
	mkfifo to-server
	$in_b $events server "${2:-10.7.0.2}" "$1" <>to-server >server 2>&1 &
	server=$!
	await 60 'server listens' grep -q LISTENING server
}

# client ADDRESS; $client: its process
client()
{
	rm -f client to-client
	mkfifo to-client
	$in_a $events client "$1" <>to-client >client 2>&1 &
	client=$!
}

# saw SIDE EVENT...: that side ends by itself, and these were its events.
saw()
{
	saw_side=$1
	shift
	case $saw_side in
	server) wait "$server" || fail "server: $(cat server)" ;;
	client) wait "$client" || fail "client: $(cat client)" ;;
	esac
	equal "$*" "$(tr '\n' ' ' <"$saw_side" | sed 's/ $//')" "events of the $saw_side"
}

# connected: both sides say so.
connected()
{
	await 60 'client is connected' grep -q ESTABLISHED client
	await 60 'server is connected' grep -q ESTABLISHED server
}
