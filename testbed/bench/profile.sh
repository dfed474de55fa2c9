# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced on the host by ./tph bench --profile: where emulator and QEMU spend their time between the guest's files job/measuring
# and job/measured. Leaves in the run directory: threads-begin and threads-end, a line "PROGRAM STAT" for each thread (PROGRAM: this,
# other, qemu; STAT as in proc(5)); functions, what perf(1) found, or functions-missing, why it did not.

# profile_programs: "PID PROGRAM" of each emulator and QEMU that sees this run directory.
profile_programs()
{
	for profile_proc in /proc/[0-9]*; do
		profile_name=$(cat "$profile_proc/comm" 2>/dev/null) || continue
		case $profile_name in
		tph-emulator | qemu-system-*) ;;
		*) continue ;;
		esac
		# The root of each is another one.
		# shellcheck disable=SC3013 # dash and every other shell know -ef
		[ "$profile_proc/root/run/tph/settings" -ef "$TPH_RUN_DIR/settings" ] || continue
		case $profile_name,$(tr '\0' ' ' <"$profile_proc/cmdline") in
		*,*/other.sock*) profile_name=other ;;
		tph-*) profile_name=this ;;
		*) profile_name=qemu ;;
		esac
		echo "${profile_proc#/proc/} $profile_name"
	done
}

profile_threads()
{
	profile_programs | while read -r profile_pid profile_name; do
		cat "/proc/$profile_pid/task/"*/stat 2>/dev/null | sed "s/^/$profile_name /"
	done
}

# profile_wait FILE: until the guest has made it.
profile_wait()
{
	until [ -e "$TPH_RUN_DIR/job/$1" ]; do
		sleep 0.2
	done
}

# profile_watch: to be run in the background while the guest runs.
profile_watch()
{
	: >"$TPH_RUN_DIR/job/profile"
	profile_wait measuring
	profile_threads >"$TPH_RUN_DIR/threads-begin"
	profile_perf=
	if ! command -v perf >/dev/null; then
		echo 'perf is not on this machine (package linux-perf)' >"$TPH_RUN_DIR/functions-missing"
	else
		profile_pids=$(profile_programs | cut -d ' ' -f 1 | paste -s -d ,)
		perf record -q -F 199 -p "$profile_pids" -o "$TPH_RUN_DIR/perf.data" >"$TPH_RUN_DIR/perf.log" 2>&1 &
		profile_perf=$!
	fi
	profile_wait measured
	profile_threads >"$TPH_RUN_DIR/threads-end"
	: >"$TPH_RUN_DIR/job/profiled"
	[ -n "$profile_perf" ] || return 0
	kill -INT "$profile_perf" 2>/dev/null || :
	wait "$profile_perf" || :
}

# profile_functions: when the machine has ended; perf looks for programs in the root of a process that is there, and that root
# has not the links.
profile_functions()
{
	[ -e "$TPH_RUN_DIR/perf.data" ] || return 0
	# The programs are where the sandbox has them.
	mkdir -p "$TPH_RUN_DIR/symbols"
	ln -sfn "$TPH_CACHE" "$TPH_RUN_DIR/symbols/cache"
	ln -sfn "$SANDBOX_ROOT/usr" "$TPH_RUN_DIR/symbols/usr"
	perf report -i "$TPH_RUN_DIR/perf.data" --stdio --symfs "$TPH_RUN_DIR/symbols" -s comm,dso,sym -F overhead,comm,dso,sym -t '|' \
		2>>"$TPH_RUN_DIR/perf.log" | sed '/^#/d; /^$/d' >"$TPH_RUN_DIR/functions" || :
	[ -s "$TPH_RUN_DIR/functions" ] || sed -n '$p' "$TPH_RUN_DIR/perf.log" >"$TPH_RUN_DIR/functions-missing"
}
