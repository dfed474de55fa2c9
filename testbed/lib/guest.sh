# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# One boot of the guest: prepare the run directory, start the machine, look at what it left.

# guest_options ARG...: the options that exec and shell share. Sets GUEST_ARGUMENTS to the number
# of arguments that are left.
guest_options()
{
	while [ $# -gt 0 ]; do
		case $1 in
		--share)
			[ -d "${2:-}" ] || die "--share ${2:-}: no such directory"
			GUEST_SHARE=$(CDPATH='' cd -- "$2" && pwd)
			shift
			;;
		--iommu)
			case ${2:-} in
			pt | translated | off) GUEST_IOMMU=$2 ;;
			*) usage_error "--iommu takes pt, translated or off, not '${2:-}'" ;;
			esac
			shift
			;;
		--devices)
			[ -f "${2:-}" ] || die "--devices ${2:-}: no such file"
			TPH_DEVICES=$2
			shift
			;;
		--dry-run) GUEST_DRY_RUN=1 ;;
		--)
			shift
			break
			;;
		-*) usage_error "unknown option $1" ;;
		*) break ;;
		esac
		shift
	done
	GUEST_ARGUMENTS=$#
}

# guest_prepare DEVICES-FILE: the run directory of a boot. Settings come from the variables
# GUEST_IOMMU (pt, translated, off), GUEST_SHARE, GUEST_SHELL, GUEST_CMDLINE, GUEST_DRY_RUN, TPH_KVM.
guest_prepare()
{
	run_dir
	mkdir "$TPH_RUN_DIR/job"
	cp "$1" "$TPH_RUN_DIR/devices"
	SANDBOX_SHARE=${GUEST_SHARE:-}
	SANDBOX_KVM=${TPH_KVM:-}
	[ -z "$SANDBOX_SHARE" ] || : >"$TPH_RUN_DIR/job/share"
	cat >"$TPH_RUN_DIR/settings" <<EOF
KERNEL=/cache/$(basename "${KERNEL:-kernel}")
IMAGE=/cache/$(basename "${GUEST:-image}")
PROGRAMS=/cache/$(basename "${PROGRAMS:-programs}")/bin
IOMMU=${GUEST_IOMMU:-pt}
ACCEL=${TPH_KVM:+kvm}
SHELL_MODE=${GUEST_SHELL:-}
SHARE=$SANDBOX_SHARE
CMDLINE='${GUEST_CMDLINE:-}'
DRY_RUN=${GUEST_DRY_RUN:-}
EOF
}

# guest_run: boot what guest_prepare prepared; $TPH_RUN_DIR/job/command runs as root in the guest.
# Sets GUEST_STATUS to its exit status. Dies when the machine failed.
guest_run()
{
	GUEST_STATUS=
	exec 3<&0
	if [ -z "${GUEST_SHELL:-}${GUEST_DRY_RUN:-}" ]; then
		mkfifo "$TPH_RUN_DIR/stdout" "$TPH_RUN_DIR/stderr"
		cat <"$TPH_RUN_DIR/stdout" &
		stdout_pid=$!
		cat <"$TPH_RUN_DIR/stderr" >&2 &
		stderr_pid=$!
		on_exit "kill $stdout_pid $stderr_pid 2>/dev/null || :"
	fi
	in_sandbox sh /src/testbed/machine.sh <&3 &
	TPH_STEP_PID=$!
	machine_status=0
	wait "$TPH_STEP_PID" || machine_status=$?
	TPH_STEP_PID=
	[ -z "${GUEST_DRY_RUN:-}" ] || return "$machine_status"
	if [ -z "${GUEST_SHELL:-}" ]; then
		if [ "$machine_status" -ne 0 ] && [ ! -s "$TPH_RUN_DIR/machine.log" ]; then
			kill "$stdout_pid" "$stderr_pid" 2>/dev/null || :
		fi
		wait "$stdout_pid" "$stderr_pid" 2>/dev/null || :
	fi
	if [ "$machine_status" -ne 0 ]; then
		cat "$TPH_RUN_DIR/machine.log" >&2 2>/dev/null || :
		die "the machine ended with status $machine_status"
	fi
	# What the drivers asked for and the models do not have.
	sed 's/^/emulator: /' "$TPH_RUN_DIR/emulator.log" >&2 2>/dev/null || :
	GUEST_STATUS=$(cat "$TPH_RUN_DIR/job/status" 2>/dev/null || :)
	if [ -z "$GUEST_STATUS" ]; then
		tail -n 40 "$TPH_RUN_DIR/dmesg" >&2
		die "the guest died before its command ended; the end of its dmesg is above"
	fi
}

# guest_dmesg_check [FILE...]: lines of the guest's kernel log that must not be there; returns 1 if
# any. The files explain more lines.
guest_dmesg_check()
{
	tr -d '\r' <"$TPH_RUN_DIR/dmesg" | sh "$TPH_TOP/testbed/dmesg-scan.sh" "$@" >&2
}
