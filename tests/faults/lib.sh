# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of the suites faults: the seed, the next job, and how drivers recover.
[ -n "${TPH_SEED:-}" ] || TPH_SEED=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
export TPH_SEED
echo "TPH_SEED=$TPH_SEED"

# job [REQUESTER RESPONDER BDF ENDPOINT]: two functions and a BAR do their work: the bytes are right, the
# hint is right. The BAR's function is bound to vfio-pci for it.
job()
{
	[ $# -eq 4 ] || set -- mlx5_0 mlx5_1 "$(bdf_of gpu0)" gpu0
	vfio_bind "$3"
	faults_job "$@" >job.out 2>&1 || {
		cat job.out
		fail "the next job: $*"
	}
}

# device NAME: the sysfs directory of an HCA function.
device()
{
	readlink -f "/sys/class/infiniband/$1/device"
}

active()
{
	grep -q ACTIVE "/sys/class/infiniband/$1/ports/1/state" 2>/dev/null
}

said()
{
	dmesg | grep -qE "$1"
}

# afresh NAME: the kernel log is empty, and the driver recovers whenever it is asked to, not once a minute.
afresh()
{
	devlink health set "pci/$(basename "$(device "$1")")" reporter fw_fatal grace_period 0
	dmesg -c >/dev/null
}

# recovered NAME: its driver noticed the fault, and is through with what it does about it.
recovered()
{
	await 90 "recovery of $1" said "$(basename "$(device "$1")").*health recovery succeeded"
	await 60 "$1 is active" active "$1"
}

# transfer: starts writes from mlx5_0 to mlx5_1 that would go on for a minute. Sets server and client.
transfer()
{
	control clear-mkey hca1 >/dev/null
	ib_write_bw -d mlx5_1 -F -D 60 >server.out 2>&1 &
	server=$!
	listening 18515
	ib_write_bw -d mlx5_0 -F -D 60 127.0.0.1 >client.out 2>&1 &
	client=$!
	await 60 'a transfer' moving
}

moving()
{
	[ "$(control mkey hca1 | jq '.remote_write_bytes // 0')" -gt 10000000 ]
}

# requester_fails STATUS: it ends with this status of a completion.
requester_fails()
{
	requester_status=0
	wait "$client" || requester_status=$?
	[ $requester_status -ne 0 ] || fail 'the requester did not notice'
	grep -q "Failed status $1:" client.out || fail "not status $1: $(cat client.out)"
}

# responder_ends: it hears nothing any more, and would wait.
responder_ends()
{
	kill "$server" 2>/dev/null || :
	wait "$server" || :
}
