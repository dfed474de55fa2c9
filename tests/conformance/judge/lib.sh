# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # variables of run.sh
# Sourced by the judges, in the guest. A judge is a test suite that nobody here wrote, run on one RDMA
# device:
#     $judge, $device    their names; $gid: for tools that want a GID index
#     $address           of the device, for rdma_cm
#     $whole             empty: a selection
# It leaves one line per case in $verdicts, tab-separated: judge, device, pass|fail|skip, case, cause.
# shellcheck source=testbed/test/guest-lib.sh
. /mnt/src/testbed/test/guest-lib.sh
tab=$(printf '\t')

# verdict pass|fail|skip CASE [CAUSE]
verdict()
{
	printf '%s\t%s\t%s\t%s\t%s\n' "$judge" "$device" "$1" "$2" "${3:-}" >>"$verdicts"
	[ "$1" != fail ] || echo "  $judge on $device: $2: ${3:-}" >&2
}

# both CASE PORT SERVER-COMMAND CLIENT-COMMAND: passes when both succeed.
both()
{
	rm -f server client
	# shellcheck disable=SC2086 # commands with options
	timeout -k 5 "${both_seconds:-120}" $3 >server 2>&1 &
	both_server=$!
	both_status=0
	if (listening "$2") >client 2>&1; then
		# shellcheck disable=SC2086
		timeout -k 5 "${both_seconds:-120}" $4 >client 2>&1 || both_status=$?
	else
		both_status=server
	fi
	# A server that serves on until it is told, or whose client is gone.
	if [ -n "${both_serves_on:-}" ] || [ "$both_status" != 0 ]; then
		sleep 0.2
		kill "$both_server" 2>/dev/null || :
		wait "$both_server" 2>/dev/null || :
		both_served=0
	else
		both_served=0
		wait "$both_server" || both_served=$?
	fi
	if [ "$both_status" = 0 ] && [ "$both_served" -eq 0 ]; then
		verdict pass "$1"
	else
		verdict fail "$1" "client $both_status, server $both_served: $(cat client server | grep -v '^ *$' |
			tail -n 3 | tr '\n\t' '; ')"
	fi
}
