# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by every command: messages, steps with progress, cleaning up.
# shellcheck disable=SC2034 # read by the files that source this one

: "${TPH_TOP:?run ./tph}"
TPH_CACHE=${TPH_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/rdma-tph}
TPH_NAME=tph
TPH_COMMAND=
# The kernel version that the series is made for, and the one in use.
LINUX_BASE=7.3
TPH_LINUX=${TPH_LINUX:-$LINUX_BASE}
TPH_STEP_PID=
# What shared functions read of the options; the table of a command says which it has.
OPT_JSON='' OPT_DRY_RUN='' OPT_LINUX='' OPT_KEEP=''
: "${TPH_RUN_DIR:=}" "${DEBIAN_MACHINE:=}" "${SANDBOX_ROOT:=}" "${SANDBOX_BUILD:=}" "${SANDBOX_SOURCE:=}" "${SOURCE_TREE:=}"
tph_started=$(date +%s)

# say TEXT: progress, on stderr, with the seconds since the start.
say()
{
	[ -z "${TPH_QUIET:-}" ] || return 0
	printf '[%4ds] %s\n' $(($(date +%s) - tph_started)) "$*" >&2
}

# die TEXT: a message that names option, device and cause; exit status 1.
die()
{
	echo "$TPH_NAME: $*" >&2
	exit 1
}

# usage_error TEXT: exit status 2.
usage_error()
{
	echo "$TPH_NAME: $*; see './tph help${TPH_COMMAND:+ $TPH_COMMAND}'" >&2
	exit 2
}

# shell_word TEXT: quoted for a shell that reads it.
shell_word()
{
	printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

# on_exit COMMAND: run COMMAND when the script ends, however it ends; last one first.
tph_exit_commands=:
on_exit()
{
	tph_exit_commands="$1; $tph_exit_commands"
}

# stop_background PID: end a background command and wait until all it started is gone, too.
stop_background()
{
	# It has name spaces of its own, which die with it; unshare(1) waits out any other signal.
	kill -KILL "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
	# Whatever a step started has inherited the lock's descriptor, so the lock is free when the
	# last of it is dead.
	if [ -n "$TPH_LOCKED" ]; then
		exec 9>"$TPH_CACHE/lock"
		flock -w 10 9 || :
	fi
}

tph_at_exit()
{
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	[ -z "$TPH_STEP_PID" ] || stop_background "$TPH_STEP_PID"
	eval "$tph_exit_commands"
	exit "$status"
}

trap tph_at_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

require_root()
{
	[ "$(id -u)" -eq 0 ] || die "needs root (mounts, name spaces and device nodes); try: sudo ./$TPH_NAME"
}

# step TEXT LOG COMMAND...: run COMMAND with its output in LOG and show that it goes on. COMMAND may
# be a function of testbed/host. It runs in name spaces of its own: when it is interrupted, its
# processes and mounts are gone. It has no descriptor of ours but the build lock: of what mmdebstrap opens besides, a shell
# of its takes no numbers above 9.
step()
{
	step_text=$1
	step_log=$2
	shift 2
	mkdir -p "$(dirname "$step_log")"
	say "$step_text"
	step_begin=$(date +%s)
	export TPH_CACHE TPH_LINUX TPH_RUN_DIR CACHE_TMP SANDBOX_ROOT SANDBOX_BUILD SANDBOX_SOURCE SOURCE_TREE
	unshare --mount --pid --fork --kill-child --mount-proc \
		sh "$TPH_TOP/testbed/host/step.sh" "$@" >"$step_log" 2>&1 </dev/null 3>&- 4>&- 5>&- 8>&- &
	TPH_STEP_PID=$!
	step_next=$((step_begin + 15))
	while kill -0 "$TPH_STEP_PID" 2>/dev/null; do
		sleep 0.2
		now=$(date +%s)
		if [ "$now" -ge "$step_next" ]; then
			step_next=$((now + 15))
			say "  ... $((now - step_begin)) s, $(wc -l <"$step_log") lines:" \
				"$(tail -n 1 "$step_log" | cut -c1-60 | tr -d '\r')"
		fi
	done
	step_status=0
	wait "$TPH_STEP_PID" || step_status=$?
	TPH_STEP_PID=
	if [ "$step_status" -ne 0 ]; then
		tail -n 25 "$step_log" >&2
		die "$step_text: failed with status $step_status; whole log: $step_log"
	fi
}
