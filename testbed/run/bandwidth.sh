# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of the caller
# Sourced in the guest: ib_write_bw, or another $program of perftest, between two processes. Files go
# to $work.

bandwidth_port=18500

# bandwidth: the options of both sides are in $common_args, the server's in $server_args, the
# client's in $client_args; $server_address, $preload (a library for the server), $seconds (the most that a
# run may take): when they are set.
# Sets server_status and client_status.
bandwidth()
{
	bandwidth_port=$((bandwidth_port + 1))
	rm -f "$work"/*.json "$work"/*.out "$work"/*.err
	# shellcheck disable=SC2086 # lists of options
	timeout $((${seconds:-300} + 10)) env ${preload:+LD_PRELOAD="$preload"} "${program:-ib_write_bw}" -p $bandwidth_port $common_args $server_args >"$work/server.out" \
		2>"$work/server.err" &
	server=$!
	client_status=1
	# 0x... in /proc/net/tcp: the port in state LISTEN (0A)
	listening=$(printf ':%04X 0*:0000 0A' $bandwidth_port)
	while kill -0 $server 2>/dev/null; do
		if grep -qE "$listening" /proc/net/tcp /proc/net/tcp6; then
			client_status=0
			# shellcheck disable=SC2086
			timeout "${seconds:-300}" "${program:-ib_write_bw}" -p $bandwidth_port $common_args $client_args --out_json \
				--out_json_file="$work/client.json" "${server_address:-127.0.0.1}" >"$work/client.out" \
				2>"$work/client.err" || client_status=$?
			break
		fi
		sleep 0.05
	done
	if [ "$client_status" -ne 0 ]; then
		sleep 0.2
		kill $server 2>/dev/null || :
	fi
	server_status=0
	wait $server || server_status=$?
}

# bandwidth_messages: what a failed run said.
bandwidth_messages()
{
	for side in server client; do
		sed "s/^/  $side: /" "$work/$side.out" "$work/$side.err" >&2 2>/dev/null || :
	done
}
