# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced in the guest: a server and its client, two processes of the guest. Commands are words without quotes.

# listens PORT [WORD...]: a TCP server listens there. WORDs come before the command that looks: those of another network name space.
listens()
{
	# 0x... in /proc/net/tcp: the port in state LISTEN (0A)
	listens_pattern=$(printf ':%04X 0*:0000 0A' "$1")
	shift
	"$@" grep -qE "$listens_pattern" /proc/net/tcp /proc/net/tcp6
}

# serves PORT: a server of rdma_cm listens there.
serves()
{
	rdma resource show cm_id 2>/dev/null | grep -E "state LISTEN.*src-port $1( |\$)|src-addr [^ ]*:$1 " | grep -q LISTEN
}

# comes_up SECONDS PROCESS COMMAND...: until COMMAND succeeds. Returns 1 when the process has ended or the seconds are over before that.
comes_up()
{
	up_end=$(($(date +%s) + $1)) up_process=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		kill -0 "$up_process" 2>/dev/null && [ "$(date +%s)" -lt $up_end ] || return 1
		sleep 0.05
	done
}

# ends_soon PROCESS: within some seconds. (A shell reaps its children when it waits for another command.)
ends_soon()
{
	soon_tries=50
	while kill -0 "$1" 2>/dev/null; do
		soon_tries=$((soon_tries - 1))
		[ $soon_tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# pair_run READY SERVER CLIENT: starts the command SERVER, and CLIENT when the command READY succeeds. What they say is in server.out,
# server.err, client.out, client.err of the directory $pair_dir (default: the one of now). $pair_seconds (default: 120): the most that
# the client may take; the server has ten more. A server whose client failed is ended when it does not end by itself; one with
# $pair_serves_on in any case. Sets server_status and client_status: 1 for a client that was not started.
pair_run()
{
	pair_files=${pair_dir:-.} pair_limit=${pair_seconds:-120}
	for pair_file in server client; do
		: >"$pair_files/$pair_file.out"
		: >"$pair_files/$pair_file.err"
	done
	server_status=0 client_status=1
	# shellcheck disable=SC2086 # words
	timeout -k 5 $((pair_limit + 10)) $2 >"$pair_files/server.out" 2>"$pair_files/server.err" &
	pair_server=$!
	# shellcheck disable=SC2086
	if comes_up $((pair_limit + 10)) $pair_server $1; then
		client_status=0
		timeout -k 5 "$pair_limit" $3 >"$pair_files/client.out" 2>"$pair_files/client.err" || client_status=$?
	fi
	if [ -n "${pair_serves_on:-}" ] || { [ "$client_status" -ne 0 ] && ! ends_soon $pair_server; }; then
		kill $pair_server 2>/dev/null || :
	fi
	# The shell would say that it was ended.
	wait $pair_server 2>/dev/null || server_status=$?
}

# pair_says: what both said, to find out why it failed.
pair_says()
{
	for pair_file in server client; do
		sed "s/^/  $pair_file: /" "${pair_dir:-.}/$pair_file.out" "${pair_dir:-.}/$pair_file.err"
	done
}
