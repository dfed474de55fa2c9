# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# One boot of the guest: prepare the run directory, start the machine, look at what it left.

# guest_options: what the options of exec, shell and run say of the guest (testbed/host/options/machine).
# shellcheck disable=SC2153 # the front door sets OPT_...
guest_options()
{
	GUEST_IOMMU=$OPT_IOMMU
	GUEST_TOPOLOGY=$OPT_TOPOLOGY
	GUEST_IMPAIR=$OPT_IMPAIR
	GUEST_UPLINK=${OPT_UPLINK:-}
	uplink_check
	[ -z "$OPT_IMPAIR" ] || [ -n "$GUEST_UPLINK" ] || [ -n "$(topology_member "$OPT_TOPOLOGY" wire)" ] ||
		usage_error "--impair $OPT_IMPAIR: the topology $OPT_TOPOLOGY has no wire between machines"
	case $OPT_IMPAIR in
	*[!A-Za-z0-9=%+.-]*) usage_error "--impair takes words like loss=1%+seed=7, not '$OPT_IMPAIR'" ;;
	esac
	GUEST_VARIANT=$OPT_VARIANT
	TPH_INSTALLED=$OPT_INSTALLED
	GUEST_CPUS=$OPT_CPUS GUEST_MEMORY=$OPT_MEMORY GUEST_CMDLINE=$OPT_APPEND GUEST_DEVICES=$OPT_DEVICE
	[ -z "${OPT_SHARE:-}" ] || GUEST_SHARE=$(CDPATH='' cd -- "$OPT_SHARE" && pwd)
	[ -z "$OPT_KVM" ] || TPH_KVM=1
	[ -z "${TPH_KVM:-}" ] || [ -w /dev/kvm ] || [ -n "$OPT_DRY_RUN" ] || die "KVM: this machine has no /dev/kvm"
	[ -z "$OPT_KEEP" ] || {
		[ ! -e "$OPT_KEEP" ] || die "--keep $OPT_KEEP: is there already"
		[ -d "$(dirname -- "$OPT_KEEP")" ] || die "--keep $OPT_KEEP: no such directory"
	}
	guest_device_lines | while read -r line; do
		echo "$line" | grep -qE "^$(guest_kinds) [A-Za-z0-9]+ ([A-Za-z0-9]+:)?[0-9a-f]{2}( [a-z0-9_-]+=[A-Za-z0-9._-]+)*\$" ||
			usage_error "--device takes KIND,NAME,SLOT[,PROPERTY=VALUE]..., such as" \
				"gpu,gpu2,14,size=16M,completer=extended, not '$(echo "$line" | tr ' ' ,)'"
	done
}

# uplink_check: of --uplink. Who has the second place of both, in the order of bytes, has other addresses than the first one.
uplink_check()
{
	[ -n "$GUEST_UPLINK" ] || return 0
	echo "$GUEST_UPLINK" | grep -qE '^([0-9]+\.){3}[0-9]+:[0-9]{1,5}:([0-9]+\.){3}[0-9]+:[0-9]{1,5}$' ||
		usage_error "--uplink takes ADDRESS:PORT:ADDRESS:PORT, the own one first, not '$GUEST_UPLINK'"
	[ "$(topology_member "$OPT_TOPOLOGY" port)" = ethernet ] ||
		usage_error "--uplink $GUEST_UPLINK: the topology $OPT_TOPOLOGY has no Ethernet switch"
	[ -z "$(topology_others "$OPT_TOPOLOGY")" ] || usage_error "--uplink $GUEST_UPLINK: the topology $OPT_TOPOLOGY has another machine here"
	uplink_here=${GUEST_UPLINK%:*:*} uplink_there=${GUEST_UPLINK#*:*:}
	[ "$uplink_here" != "$uplink_there" ] || usage_error "--uplink $GUEST_UPLINK: the other machine is this one"
}

# uplink_prepare: of the run directory, what makes its guest another one than that on the other machine: the numbers of its addresses and the name of
# the machine in those of its ports; and an MTU with which a frame and what UDP has around it fit into a packet of 1500 bytes.
uplink_prepare()
{
	SANDBOX_NET='' UPLINK_MACHINE=
	[ -n "${GUEST_UPLINK:-}" ] || return 0
	SANDBOX_NET=1
	echo 1400 >"$TPH_RUN_DIR/job/mtu"
	[ "$(printf '%s\n' "$uplink_here" "$uplink_there" | LC_ALL=C sort | head -n 1)" != "$uplink_here" ] || return 0
	UPLINK_MACHINE=second
	echo 50 >"$TPH_RUN_DIR/job/numbers"
	echo $UPLINK_MACHINE >"$TPH_RUN_DIR/job/machine"
}

# guest_kinds: as an extended regular expression: those of QEMU, and those that the emulator has by the table in endpoints/model.h.
guest_kinds()
{
	printf '(hca|qemu-nvme|port|upstream|downstream%s)' "$(sed -n 's/^\trow(\([a-z0-9]*\)).*/|\1/p' "$TPH_TOP/endpoints/model.h" | tr -d '\n')"
}

# guest_device_lines: those of --device, as lines of a devices file.
guest_device_lines()
{
	[ -z "${GUEST_DEVICES:-}" ] || printf '%s\n' "${GUEST_DEVICES:-}" | tr , ' '
}

# guest_build: all that exec and shell need, with the kernel that the options chose. What is installed is enough for
# a guest with what is installed.
guest_build()
{
	set -- "build_kernel ${GUEST_VARIANT:-plain}"
	[ -n "${TPH_INSTALLED:-}" ] || set -- "$@" build_kernel_tests
	build_testbed "$@" "machines_build ${GUEST_TOPOLOGY:-ib}"
}

# guest_variant: that of the kernel in use.
guest_variant()
{
	cat "${KERNEL:-}/variant" 2>/dev/null || echo "${GUEST_VARIANT:-plain}"
}

# guest_machine VARIANT: what a kernel variant needs of the machine. It is slow, above all under TCG,
# and that must not look like a hang.
guest_machine()
{
	MACHINE_MEMORY=1G MACHINE_CPUS=2 MACHINE_CMDLINE=
	slow='rcupdate.rcu_cpu_stall_timeout=120 sysctl.kernel.hung_task_timeout_secs=300'
	case $1 in
	debug) MACHINE_MEMORY=2G MACHINE_CMDLINE="$slow kmemleak=on kasan_multi_shot" ;;
	kcsan) MACHINE_MEMORY=2G MACHINE_CPUS=4 MACHINE_CMDLINE=$slow ;;
	esac
}

# guest_prepare DEVICES-FILE: the run directory of a boot. Settings come from the variables
# GUEST_IOMMU (pt, translated, off), GUEST_SHARE, GUEST_SHELL, GUEST_CMDLINE, GUEST_CPUS, GUEST_MEMORY,
# GUEST_DEVICES (as --device), GUEST_TOPOLOGY (ib, or another name of testbed/topologies), GUEST_IMPAIR (of the wires between machines), GUEST_UPLINK (as --uplink), GUEST_PCAP (captures of the ports), GUEST_OTHER (programs of a second emulator), TPH_KVM, TPH_GCOV (a directory: the kernel's coverage counters are left there).
guest_prepare()
{
	run_dir
	mkdir "$TPH_RUN_DIR/job"
	guest_machine "$(guest_variant)"
	selftests=
	[ ! -d "${KERNEL:-}/selftests" ] || selftests=/cache/$(basename "$KERNEL")/selftests
	[ -z "${KERNEL_TESTS:-}" ] || : >"$TPH_RUN_DIR/job/tests"
	[ -z "$selftests" ] || : >"$TPH_RUN_DIR/job/selftests"
	[ -z "${TPH_GCOV:-}" ] || mkdir "$TPH_RUN_DIR/job/gcov"
	{
		cat "$1"
		guest_device_lines
	} | topology_devices "${GUEST_TOPOLOGY:-ib}" >"$TPH_RUN_DIR/devices"
	topology_check "${GUEST_TOPOLOGY:-ib}" "$TPH_RUN_DIR/devices"
	echo "${GUEST_TOPOLOGY:-ib}" >"$TPH_RUN_DIR/job/topology"
	machines_prepare "${GUEST_TOPOLOGY:-ib}"
	uplink_prepare
	SANDBOX_SHARE=${GUEST_SHARE:-}
	SANDBOX_KVM=${TPH_KVM:-}
	[ -z "$SANDBOX_SHARE" ] || : >"$TPH_RUN_DIR/job/share"
	guest_kernel=${KERNEL:-kernel}
	cat >"$TPH_RUN_DIR/settings" <<EOF
KERNEL=/cache/${guest_kernel#"$TPH_CACHE"/}
IMAGE=/cache/$(basename "${GUEST:-image}")
PROGRAMS=/cache/$(basename "${PROGRAMS:-programs}")/bin
OTHER=${GUEST_OTHER:+/cache/$(basename "${GUEST_OTHER:-}")/bin}
TESTS=${KERNEL_TESTS:+/cache/$(basename "${KERNEL_TESTS:-}")}
SELFTESTS=$selftests
MEMORY=${GUEST_MEMORY:-$MACHINE_MEMORY}
CPUS=${GUEST_CPUS:-$MACHINE_CPUS}
IOMMU=${GUEST_IOMMU:-pt}
ACCEL=${TPH_KVM:+kvm}
SHELL_MODE=${GUEST_SHELL:-}
DEBIAN_MACHINE=/cache/$(basename "${DEBIAN_MACHINE:-machine}")
PCAP=${GUEST_PCAP:+pcap-bytes=256}
SHARE=$SANDBOX_SHARE
CMDLINE=$(shell_word "$MACHINE_CMDLINE ${GUEST_CMDLINE:-}")
UPLINK=${GUEST_UPLINK:-}${GUEST_UPLINK:+${GUEST_IMPAIR:+,impair=$GUEST_IMPAIR}}
UPLINK_MACHINE=$UPLINK_MACHINE
DRY_RUN=$OPT_DRY_RUN
EOF
}

# guest_run: boot what guest_prepare prepared; $TPH_RUN_DIR/job/command runs as root in the guest.
# Sets GUEST_STATUS to its exit status. Dies when the machine failed. A dry run prints the machine.
guest_run()
{
	if [ -n "$OPT_DRY_RUN" ]; then
		TPH_MACHINE_DIR=$TPH_RUN_DIR sh "$TPH_TOP/testbed/sandbox/machine.sh"
		return
	fi
	guest_boot || die "$GUEST_FAILURE"
}

# guest_start: the machine, until it ends. Sets machine_status.
guest_start()
{
	exec 3<&0
	if [ -z "${GUEST_SHELL:-}" ]; then
		rm -f "$TPH_RUN_DIR/stdout" "$TPH_RUN_DIR/stderr"
		mkfifo "$TPH_RUN_DIR/stdout" "$TPH_RUN_DIR/stderr"
		cat <"$TPH_RUN_DIR/stdout" &
		stdout_pid=$!
		cat <"$TPH_RUN_DIR/stderr" >&2 &
		stderr_pid=$!
		on_exit "kill $stdout_pid $stderr_pid 2>/dev/null || :"
	fi
	in_sandbox sh /src/testbed/sandbox/machine.sh <&3 &
	TPH_STEP_PID=$!
	guest_watch $TPH_STEP_PID >/dev/null 2>&1 3<&- &
	watch_pid=$!
	on_exit "kill $watch_pid 2>/dev/null || :"
	machine_status=0
	wait "$TPH_STEP_PID" 2>/dev/null || machine_status=$?
	TPH_STEP_PID=
	kill "$watch_pid" 2>/dev/null || :
	wait "$watch_pid" 2>/dev/null || :
	if [ -z "${GUEST_SHELL:-}" ]; then
		if [ "$machine_status" -ne 0 ] && [ ! -s "$TPH_RUN_DIR/machine.log" ]; then
			kill "$stdout_pid" "$stderr_pid" 2>/dev/null || :
		fi
		wait "$stdout_pid" "$stderr_pid" 2>/dev/null || :
	fi
}

# guest_watch PID: ends the machine when the kernel has not come to its first process and said
# nothing for TPH_BOOT_SECONDS; the file stuck says so.
guest_watch()
{
	watch_said='' watch_silent=0
	while [ ! -e "$TPH_RUN_DIR/job/started" ]; do
		sleep 5
		watch_now=$(wc -c <"$TPH_RUN_DIR/dmesg" 2>/dev/null || echo none)
		[ "$watch_now" = "$watch_said" ] || watch_silent=0
		watch_said=$watch_now
		watch_silent=$((watch_silent + 5))
		if [ "$watch_silent" -ge "${TPH_BOOT_SECONDS:-180}" ]; then
			: >"$TPH_RUN_DIR/stuck"
			kill -KILL "$1"
			return
		fi
	done
}

# guest_boot: the same, but returns 1 and sets GUEST_FAILURE when the machine failed. A boot that gets
# stuck, which happens on machines with too much to do, is repeated once.
guest_boot()
{
	GUEST_STATUS=
	guest_start
	if [ -e "$TPH_RUN_DIR/stuck" ]; then
		echo "the guest got stuck while it booted; once more" >&2
		rm "$TPH_RUN_DIR/stuck"
		guest_start
	fi
	if [ -e "$TPH_RUN_DIR/stuck" ]; then
		tail -n 5 "$TPH_RUN_DIR/dmesg" >&2
		GUEST_FAILURE="the guest got stuck while it booted, twice; the end of its dmesg is above"
		return 1
	fi
	if [ "$machine_status" -ne 0 ]; then
		cat "$TPH_RUN_DIR/machine.log" >&2 2>/dev/null || :
		machines_say
		GUEST_FAILURE="the machine ended with status $machine_status"
		return 1
	fi
	[ -z "${TPH_GCOV:-}" ] || mv "$TPH_RUN_DIR/job/gcov" "$TPH_GCOV/$(basename "$TPH_RUN_DIR")"
	# What the drivers asked for and the models do not have.
	sed 's/^/emulator: /' "$TPH_RUN_DIR/emulator.log" >&2 2>/dev/null || :
	GUEST_STATUS=$(cat "$TPH_RUN_DIR/job/status" 2>/dev/null || :)
	if [ -z "$GUEST_STATUS" ]; then
		machines_say
		tail -n 40 "$TPH_RUN_DIR/dmesg" >&2
		GUEST_FAILURE="the guest died before its command ended; the end of its dmesg is above"
		return 1
	fi
}

# guest_qemu: the version of QEMU.
guest_qemu()
{
	in_sandbox qemu-system-x86_64 --version | sed -n 's/.*version \([0-9.]*\).*/\1/p'
}

# guest_dmesg_check [FILE...]: lines of the guest's kernel log that must not be there; returns 1 if
# any, of any machine. The files explain more lines.
guest_dmesg_check()
{
	dmesg_status=0
	tr -d '\r' <"$TPH_RUN_DIR/dmesg" | sh "$TPH_TOP/testbed/guest/dmesg-scan.sh" "$@" >&2 || dmesg_status=1
	machines_dmesg_check "$@" || dmesg_status=1
	return "$dmesg_status"
}
