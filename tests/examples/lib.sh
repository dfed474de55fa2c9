# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2086 # $in_a and $in_b are words; commands have options
# Sourced by the tests of librdmacm-examples: a server on mlx5_0 (name space a, 10.7.0.1, 8-bit tags) or on
# mlx5_1 (b, 10.7.0.2, 16-bit tags), clients on the other one. What they say is in files.
# shellcheck source=tests/rdmacm/lib.sh
. /mnt/src/tests/rdmacm/lib.sh
gpu=$(bdf_of gpu0)

# on DEVICE: where servers run from now on: mlx5_0, mlx5_1, or rxe0 with its client.
on()
{
	case $1 in
	mlx5_0) server_in=$in_a client_in=$in_b address=10.7.0.1 ;;
	mlx5_1) server_in=$in_b client_in=$in_a address=10.7.0.2 ;;
	rxe0) server_in='' client_in='' address=198.51.100.1 ;;
	esac
}

# start FILE COMMAND: in the background, its output in FILE; $started is its process.
start()
{
	$2 >"$1" 2>&1 &
	started=$!
	all_started="$all_started $started"
}

# Whatever is left of a test that failed would be in the way of the next one, and of vfio_give_back_all.
all_started=
end_all()
{
	for end_one in $all_started; do
		kill -KILL "$end_one" 2>/dev/null || :
	done
	vfio_give_back_all
}
trap end_all EXIT

# server COMMAND [PORT]: $server is its process; it listens.
server()
{
	start server "$server_in $1"
	server=$started
	comes_up 60 "$server" serves "${2:-7471}" || fail "server: $1: $(cat server)"
}

gone()
{
	! kill -0 "$1" 2>/dev/null
}

# ends STATUS PROCESS WHAT: it ends within a minute, with STATUS.
ends()
{
	await 60 "end of the $3" gone "$2"
	ends_status=0
	wait "$2" || ends_status=$?
	[ "$ends_status" -eq "$1" ] || {
		tail -n 20 ./server ./client* || :
		fail "$3: status $ends_status, not $1"
	}
}

# client STATUS [OPTION]...: the client ends with STATUS.
client()
{
	client_want=$1
	shift
	start client "$client_in rdma_bar_client -s $address $*"
	ends "$client_want" "$started" 'client'
}

# said FILE: without what differs from run to run.
said()
{
	sed 's/port [0-9]\{5\}/port N/; s/memory key 0x[0-9a-f]*/memory key K/' "$1"
}

# says FILE LINE...: that is all that the program said.
says()
{
	says_file=$1
	shift
	equal "$(printf '%s\n' "$@")" "$(said "$says_file")" "what is said by the $says_file"
}

# arrived: [tag, width, PH, bytes written, bytes read] of each hint at the completer.
arrived()
{
	control counts gpu0 | jq -c '[.counts[] | select(.writes + .reads > 0)
		| [.st, .st_width, .ph, .write_bytes, .read_bytes]] | sort'
}

# mine KIND: objects of that kind that the examples have.
mine()
{
	rdma -j resource show "$1" | jq '[.[] | select((.comm // "") | startswith("rdma_bar"))] | length'
}

free_of_verbs()
{
	[ "$(mine mr) $(mine qp) $(mine cq) $(mine pd) $(mine cm_id)" = '0 0 0 0 0' ]
}

free()
{
	free_of_verbs &&
		! grep -q 'vfio' /sys/kernel/debug/dma_buf/bufinfo &&
		vfiobar --by any info $gpu
}

# nothing_left: no verbs object and no dma-buf of an example; nobody has the endpoint open.
nothing_left()
{
	await 60 'all is released' free
}
