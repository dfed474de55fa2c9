# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced before each test in the guest; the test runs with set -eu in an empty directory.

# ucx_perftest is a program of MPI in Debian, which spends 20 seconds on a look at the RDMA devices, even
# with -P 0.
export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self OMPI_MCA_mtl=^ofi

# shellcheck source=testbed/guest/pair.sh
. /mnt/src/testbed/guest/pair.sh

fail()
{
	echo "FAILED: $*"
	exit 1
}

# equal EXPECTED ACTUAL WHAT
equal()
{
	[ "$1" = "$2" ] || fail "$3: expected '$1', got '$2'"
}

# ktap PROGRAM ARGS...: run a program that prints KTAP. Each of its results is a case of this test; a
# result "not ok", a missing plan or fewer results than planned fail the test. $KTAP_TIMEOUT: seconds.
ktap()
{
	ktap_status=0
	timeout -k 10 "${KTAP_TIMEOUT:-1800}" "$@" >ktap.out 2>&1 </dev/null || ktap_status=$?
	cat ktap.out
	ktap_cases "$(basename "$1")" "$ktap_status" <ktap.out
}

# ktap_cases NAME STATUS: the same for KTAP on standard input, of a program that ended with STATUS.
ktap_cases()
{
	awk -v cases="$TPH_CASES" -v name="$1" -v status="$2" -f /mnt/src/testbed/test/ktap.awk
}

# await SECONDS WHAT COMMAND...: until COMMAND succeeds.
await()
{
	await_end=$(($(date +%s) + $1))
	await_what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt $await_end ] || fail "not within the time: $await_what"
		sleep 0.05
	done
}

# listening PORT: wait until a server listens there.
listening()
{
	await 60 "a server on port $1" listens "$1"
}

# both_succeed READY SERVER-COMMAND CLIENT-COMMAND: see pair_run; their output is in server and client.
both_succeed()
{
	pair_run "$@"
	cat server.out server.err >server
	cat client.out client.err >client
	[ "$server_status $client_status" = '0 0' ] || {
		pair_says
		fail "server: status $server_status, client: status $client_status: $3"
	}
}

# rping_succeed COUNT READY SERVER-COMMAND CLIENT-COMMAND: both_succeed of rping, with COUNT pings. Its client may sleep for ever when all is done,
# whatever the device: one thread sees by poll() that there is an event of the connection, the other one destroys the connection, which takes
# events away that nobody has read (ucma_cleanup_ctx_events() of the kernel), and the first one waits for the next in rdma_get_cm_event(). So a
# client that sleeps is none that failed, when its server has had every ping and the end of the connection.
rping_succeed()
{
	rping_count=$1
	pair_run "$2" "$3 -v" "$4"
	if [ "$client_status $server_status" = '124 0' ] && [ ! -s client.err ] &&
		[ "$(grep -c '^server ping data: ' server.out)" -eq "$rping_count" ] && grep -q '^server DISCONNECT EVENT' server.err; then
		echo "rping's client sleeps behind its $rping_count pings: it lost an event to itself"
		client_status=0
	fi
	[ "$server_status $client_status" = '0 0' ] || {
		pair_says
		fail "server: status $server_status, client: status $client_status: $4"
	}
}

# pair PORT SERVER-COMMAND CLIENT-COMMAND: both must succeed; their output is in server and client.
pair()
{
	both_succeed "listens $1" "$2" "$3"
}

# pingpong PROGRAM OPTIONS: between the two HCA functions, then on one.
pingpong()
{
	pair 18515 "$1 -d mlx5_0 -c $2" "$1 -d mlx5_1 -c $2 127.0.0.1"
	pair 18515 "$1 -d mlx5_0 -c $2" "$1 -d mlx5_0 -c $2 127.0.0.1"
}

# perftest PROGRAM OPTIONS: between the two HCA functions.
perftest()
{
	pair 18515 "$1 -d mlx5_1 -F $2" "$1 -d mlx5_0 -F $2 127.0.0.1"
}

# judge SUITE DEVICE: a suite of tests/conformance/judge; each of its cases is one of this test.
judge()
{
	bdf_ask || fail 'where devices are'
	sh /mnt/src/tests/conformance/judge/run.sh "$PWD/verdicts" "${TPH_FULL:+whole}" "$2" "$1" ||
		fail "judge $1"
	awk -F '\t' '{ print $4, $2 ": " $5 ($6 == "" ? "" : ": " $6) }' verdicts >>"$TPH_CASES"
	! grep -q "$(printf '\tfail\t')" verdicts || fail "judge $1"
	grep -q "$(printf '\tpass\t')" verdicts || fail "judge $1: nothing passed"
}
