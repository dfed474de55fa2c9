# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests that do something to the emulator or to QEMU from outside of the guest, which
# meanwhile runs a job. Files in the job's directory are what the two tell each other.
# shellcheck source=testbed/test/host-lib.sh
. "$TPH_TOP/testbed/test/host-lib.sh"
guest_build
guest_prepare "$TPH_TOP/tests/faults-host/devices"
job=$TPH_RUN_DIR/job

# machine: starts it in the background; the job is on standard input, behind what the tests in the guest
# have. $machine_options, if set, are bubblewrap's.
machine()
{
	{
		cat <<'HEAD'
. /mnt/src/testbed/guest/control.sh
. /mnt/src/testbed/guest/vfio.sh
. /mnt/src/testbed/test/guest-lib.sh
cd "$(mktemp -d)"
set -eu
trap vfio_give_back_all EXIT
. /mnt/src/tests/faults/lib.sh

# tell NAME, hear NAME: to and from the host.
tell()
{
	: >"/mnt/job/$1"
}

hear()
{
	await 120 "word of the host: $1" test -e "/mnt/job/$1"
}
HEAD
		cat
	} >"$job/command"
	# shellcheck disable=SC2086 # words
	in_sandbox ${machine_options:-} sh /src/testbed/sandbox/machine.sh >machine.out 2>&1 </dev/null &
	machine=$!
	on_exit "stop_background $machine"
}

# await SECONDS WHAT COMMAND...: until COMMAND succeeds; not longer than the machine runs.
await()
{
	await_end=$(($(date +%s) + $1))
	await_what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if ! kill -0 "$machine" 2>/dev/null || [ "$(date +%s)" -ge $await_end ]; then
			evidence
			fail "not within the time: $await_what"
		fi
		sleep 0.1
	done
}

# tell NAME, hear NAME: to and from the guest.
tell()
{
	: >"$job/$1"
}

hear()
{
	await 180 "word of the guest: $1" test -e "$job/$1"
}

# process NAME: the machine's process of that name.
process()
{
	process_of "$machine" "$1"
}

process_of()
{
	for process_child in $(tr ' ' '\n' <"/proc/$1/task/$1/children"); do
		if [ "$(cat "/proc/$process_child/comm" 2>/dev/null)" = "$2" ]; then
			echo "$process_child"
			return
		fi
		(process_of "$process_child" "$2")
	done
}

# ask WORD...: a question to the emulator, besides those of the guest.
ask()
{
	in_sandbox python3 /src/tests/faults-host/control.py /run/tph/control.sock ask "$@"
}

# qmp COMMAND: to QEMU itself, which has answered when this returns.
qmp()
{
	in_sandbox python3 /src/tests/faults-host/qmp.py /run/tph/qmp.sock "$1"
}

# ends STATUS JOB-STATUS: the machine, and the job in it.
ends()
{
	ends_tries=0
	while kill -0 "$machine" 2>/dev/null; do
		ends_tries=$((ends_tries + 1))
		[ $ends_tries -lt 1800 ] || {
			evidence
			fail 'the machine does not end'
		}
		sleep 0.1
	done
	ends_status=0
	wait "$machine" || ends_status=$?
	if [ "$1 $2" != "$ends_status $(cat "$job/status" 2>/dev/null)" ]; then
		evidence
		fail "machine and job ended with $ends_status $(cat "$job/status" 2>/dev/null || echo -), not $1 $2"
	fi
}

evidence()
{
	cat machine.out
	for evidence_file in stdout stderr emulator.log machine.log dmesg; do
		echo "--- $evidence_file"
		tail -n 30 "$TPH_RUN_DIR/$evidence_file" 2>/dev/null || :
	done
}
