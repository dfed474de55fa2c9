# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # variables of run.sh
# Sourced by the judges, in the guest. A judge is a test suite that nobody here wrote, run on one RDMA
# device:
#     $judge, $device    their names
#     $link_layer        of its port, as the kernel calls it: InfiniBand or Ethernet
#     $gid               for tools that want a GID index; nothing on InfiniBand
#     $address           of the device, for rdma_cm
#     $whole             empty: a selection
# It leaves one line per case in $verdicts, tab-separated: judge, device, link layer, pass|fail|skip, case, cause.
# shellcheck source=testbed/test/guest-lib.sh
. /mnt/src/testbed/test/guest-lib.sh
tab=$(printf '\t')

# verdict pass|fail|skip CASE [CAUSE]
verdict()
{
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$judge" "$device" "$link_layer" "$1" "$2" "${3:-}" >>"$verdicts"
	[ "$1" != fail ] || echo "  $judge on $device: $2: ${3:-}" >&2
}

# both CASE PORT SERVER-COMMAND CLIENT-COMMAND: passes when both succeed.
both()
{
	pair_seconds=${both_seconds:-} pair_serves_on=${both_serves_on:-}
	pair_run "listens $2" "$3" "$4"
	# One that serves on was ended.
	[ -z "$pair_serves_on" ] || server_status=0
	pair_seconds='' pair_serves_on=''
	if [ "$server_status $client_status" = '0 0' ]; then
		verdict pass "$1"
	else
		verdict fail "$1" "client $client_status, server $server_status: $(cat client.out client.err server.out server.err | grep -v '^ *$' |
			tail -n 3 | tr '\n\t' '; ')"
	fi
}
