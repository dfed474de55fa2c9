#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2086,SC2094,SC2154 # commands with options; members of the rows of the plan
# In the guest: the examples of /mnt/job/plan (plan.py). Each leaves a directory /mnt/job/results/N for judge.py: what each
# program said (server, client-1, ...), its command and its status, and what the emulator answered to counts.
set -eu
# shellcheck source=testbed/guest/control.sh
. /mnt/src/testbed/guest/control.sh
# shellcheck source=testbed/guest/vfio.sh
. /mnt/src/testbed/guest/vfio.sh
# shellcheck source=testbed/guest/row.sh
. /mnt/src/testbed/guest/row.sh
# shellcheck source=testbed/test/guest-lib.sh
. /mnt/src/testbed/test/guest-lib.sh
# shellcheck source=tests/rdmacm/lib.sh
. /mnt/src/tests/rdmacm/lib.sh
gpu=$(bdf_of gpu0)
work=$(mktemp -d)
cd "$work"
trap vfio_give_back_all EXIT
trap 'exit 130' INT TERM
uname -r >/mnt/job/kernel

# run FILE NAMESPACE COMMAND: its output, command and status are left in files.
run()
{
	echo "$3" >"$1.command"
	run_status=0
	timeout -k 5 120 ip netns exec $2 $3 >"$1" 2>&1 || run_status=$?
	echo $run_status >"$1.status"
}

# example: the one described by the variables that come from the plan.
example()
{
	server=a address=10.7.0.1 client=b
	[ "$hca" = hca0 ] || server=b address=10.7.0.2 client=a
	client_command="rdma_bar_client -s $address"
	[ "$client_option" = - ] || client_command="$client_command $client_option"
	server_command="rdma_bar_server -d $gpu $tag_option $tag -v"
	[ "$example" = bar ] || server_command="rdma_bar_tags -d $gpu $tag_option $tag -n $clients -v"
	rm -f ./server* ./client*
	control reset-counts gpu0 >/dev/null
	control mark "example-$number" >/dev/null
	run server $server "$server_command" &
	server_pid=$!
	comes_up 60 $server_pid serves 7471 || :
	pids=
	for i in $(seq "$clients"); do
		run "client-$i" $client "$client_command" &
		pids="$pids $!"
	done
	wait $server_pid $pids
	control mark "end-$number" >/dev/null
	control counts gpu0 >counts
	mkdir -p "/mnt/job/results/$number"
	cp server* client* counts "/mnt/job/results/$number/"
}

fabric
vfio_bind $gpu
while IFS= read -r line; do
	row_members "$line" number example hca device width tag clients tag_option client_option
	echo "example $example: server on $device, $width-bit tags, $clients client(s)" >&2
	example
done </mnt/job/plan
