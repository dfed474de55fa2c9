# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Machines of a topology besides the first one: what they boot, and their part of the run directory.

# build_debian_machine: what a machine with `kernel debian` boots: Debian's kernel, as testbed/sources.list pins it, on a root of Debian's
# packages. Sets DEBIAN_MACHINE, a directory with bzImage, initramfs, root.img and release.
build_debian_machine()
{
	debian_root_entry machine-root "$TPH_TOP/testbed/packages/machine"
	DEBIAN_MACHINE=$TPH_CACHE/machine-$({
		echo "$DEBIAN_ROOT"
		grep '^debian-kernel ' "$TPH_TOP/testbed/sources.list"
	} | key "$TPH_TOP/testbed/sandbox/build/machine.sh" "$TPH_TOP/testbed/guest/initramfs-init" "$TPH_TOP/testbed/guest/tph-init")
	[ ! -d "$DEBIAN_MACHINE" ] || return 0
	cache_tmp
	step "machine: Debian's kernel and its root file system" "$TPH_CACHE/log/build-machine.log" \
		debian_machine "$CACHE_TMP" "$DEBIAN_ROOT"
	cache_publish "$(basename "$DEBIAN_MACHINE")"
}

# debian_machine DIR ROOT
debian_machine()
{
	machine_out=$1
	source_fetch debian-kernel
	dpkg-deb -x "$SOURCE_FILE" "$machine_out/kernel"
	in_sandbox sh -eu /src/testbed/sandbox/build/machine.sh "/cache/$(basename "$machine_out")" "/cache/$(basename "$2")"
}

# machines_build TOPOLOGY: what its machines need besides what the first one has.
machines_build()
{
	for machine in $(topology_others "$1"); do
		case $(topology_member "$1" kernel "$machine") in
		debian) build_debian_machine ;;
		esac
	done
}

# machines_prepare TOPOLOGY: the file machines of the run directory, a line "NAME KERNEL EMULATOR NIC IMPAIRMENT" for each machine besides the first
# one (- where the topology says nothing), its directory, and job/machines, lines "NAME NUMBER" for the first one's job.
machines_prepare()
{
	machine_number=100
	: >"$TPH_RUN_DIR/machines"
	for machine in $(topology_others "$1"); do
		machine_number=$((machine_number + 1))
		machine_nic=$(topology_member "$1" nic "$machine")
		mkdir -p "$TPH_RUN_DIR/$machine/job"
		echo "$1" >"$TPH_RUN_DIR/$machine/job/topology"
		echo "$machine" >"$TPH_RUN_DIR/$machine/job/machine"
		echo "$machine_number" >"$TPH_RUN_DIR/$machine/job/number"
		echo "exec sh /mnt/src/testbed/guest/$(topology_member "$1" serve "$machine").sh" >"$TPH_RUN_DIR/$machine/job/command"
		[ -z "${KERNEL_TESTS:-}" ] || [ "$(topology_member "$1" kernel "$machine")" != series ] || : >"$TPH_RUN_DIR/$machine/job/tests"
		machine_nic=${machine_nic#virtio }
		machine_by=$(topology_member "$1" emulator "$machine")
		echo "$machine $(topology_member "$1" kernel "$machine") ${machine_by:--} ${machine_nic:--} ${GUEST_IMPAIR:--}" >>"$TPH_RUN_DIR/machines"
		echo "$machine $machine_number" >>"$TPH_RUN_DIR/job/machines"
	done
}

# machines_say: the end of what each of them said, on standard error, when something failed.
machines_say()
{
	[ -e "$TPH_RUN_DIR/machines" ] || return 0
	while read -r machine _; do
		for machine_file in machine.log dmesg stdout stderr; do
			tail -n 20 "$TPH_RUN_DIR/$machine/$machine_file" 2>/dev/null | tr -d '\r' | sed "s/^/$machine: /" >&2
		done
	done <"$TPH_RUN_DIR/machines"
}

# machines_dmesg_check [FILE...]: as guest_dmesg_check, of the other machines.
machines_dmesg_check()
{
	machines_complain=0
	[ ! -e "$TPH_RUN_DIR/machines" ] || while read -r machine _; do
		tr -d '\r' <"$TPH_RUN_DIR/$machine/dmesg" | sh "$TPH_TOP/testbed/guest/dmesg-scan.sh" "$@" >"$TPH_RUN_DIR/$machine/complaints" && continue
		machines_complain=1
		sed "s/^/$machine: /" "$TPH_RUN_DIR/$machine/complaints" >&2
	done <"$TPH_RUN_DIR/machines"
	return "$machines_complain"
}
