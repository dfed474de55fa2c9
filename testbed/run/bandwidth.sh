# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of the caller
# Sourced in the guest: ib_write_bw, or another $program of perftest, between two processes. Files go
# to $work.

# shellcheck source=testbed/guest/pair.sh
. /mnt/src/testbed/guest/pair.sh
bandwidth_port=18500

# bandwidth: the options of both sides are in $common_args, the server's in $server_args, the
# client's in $client_args; $server_address, $preload (a library for the server), $seconds (the most that a
# run may take), $in_server and $in_client (words before a command of that side: its name space), $client_machine (the client is on that
# machine, with a file sent of $sent_bytes in $work; its files come here): when they are set.
# Sets server_status and client_status.
bandwidth()
{
	bandwidth_port=$((bandwidth_port + 1))
	bandwidth_client=${in_client:-}
	[ -z "${client_machine:-}" ] || {
		rm -rf "/run/machines/$client_machine/brought"
		bandwidth_client="$in_client sh /mnt/src/testbed/run/there.sh $work ${sent_bytes:-0}"
	}
	rm -f "$work"/*.json
	bandwidth_both="${program:-ib_write_bw} -p $bandwidth_port $common_args"
	pair_dir=$work pair_seconds=${seconds:-300}
	pair_run "listens $bandwidth_port ${in_server:-}" "${in_server:-} ${preload:+env LD_PRELOAD=$preload }$bandwidth_both $server_args" \
		"$bandwidth_client $bandwidth_both $client_args --out_json --out_json_file=$work/client.json ${server_address:-127.0.0.1}"
	[ -z "${client_machine:-}" ] || cp "/run/machines/$client_machine/brought/"* "$work/" 2>/dev/null || :
}

# bandwidth_messages: what a failed run said.
bandwidth_messages()
{
	pair_says >&2
}
