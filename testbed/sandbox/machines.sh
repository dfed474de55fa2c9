# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC2154 # settings of the caller
# Sourced by machine.sh: machines of a topology besides the first one, as the file machines of the run directory has them, a line
# "NAME NIC IMPAIRMENT" for each. NAME/ there has
#     job/        shared with it and with the first machine, where it is /run/machines/NAME; job/ended comes when its QEMU has ended
#     stdout, stderr, dmesg, machine.log      what it said
# The sockets of the wire between it and the emulator's switch are NAME.switch.sock and NAME.NIC.sock.
[ -e machines ] || : >machines

# machines_links: options of the emulator for their wires.
machines_links()
{
	while read -r machine nic impairment; do
		printf ' --link %s,dgram=unix:/run/tph/%s.switch.sock:/run/tph/%s.%s.sock' "$machine" "$machine" "$machine" "$nic"
		[ "$impairment" = - ] || printf ',impair=%s' "$impairment"
	done <machines
}

# machines_hidden: words of bubblewrap, so that the emulator does not see their jobs.
machines_hidden()
{
	while read -r machine _; do
		printf ' --tmpfs /run/tph/%s' "$machine"
	done <machines
}

# machines_shares: words of QEMU for the first machine, which sees their jobs.
machines_shares()
{
	while read -r machine _; do
		printf ' -fsdev local,id=%s,path=/run/tph/%s/job,security_model=none -device virtio-9p-pci,fsdev=%s,mount_tag=%s,addr=0x1a' \
			"$machine" "$machine" "$machine" "$machine"
	done <machines
}

# machine_run NAME NIC: QEMU, until it ends; or its words, with DRY_RUN. It has one processor: most of the work is the first one's.
machine_run()
{
	machine=$1 nic=$2
	set -- qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -name "$machine"
	if [ "$ACCEL" = kvm ]; then
		set -- "$@" -accel kvm -cpu host
	else
		set -- "$@" -accel tcg,thread=multi -cpu EPYC
	fi
	set -- "$@" -machine q35 -smp 1 -m 768M \
		-kernel "$DEBIAN_MACHINE/bzImage" -initrd "$DEBIAN_MACHINE/initramfs" -append 'console=ttyS0 panic=-1 no_timer_check mitigations=off' \
		-chardev "file,id=dmesg,path=/run/tph/$machine/dmesg" -serial chardev:dmesg \
		-drive "if=none,id=root,format=raw,readonly=on,file=$DEBIAN_MACHINE/root.img" -device virtio-blk-pci,drive=root \
		-fsdev local,id=src,path=/src,security_model=none,readonly=on -device virtio-9p-pci,fsdev=src,mount_tag=src \
		-fsdev "local,id=bin,path=$PROGRAMS,security_model=none,readonly=on" -device virtio-9p-pci,fsdev=bin,mount_tag=bin \
		-fsdev "local,id=job,path=/run/tph/$machine/job,security_model=none" -device virtio-9p-pci,fsdev=job,mount_tag=job \
		-device virtio-serial-pci \
		-chardev "file,id=stdout,path=/run/tph/$machine/stdout" -device virtserialport,chardev=stdout,name=org.rdma-tph.stdout \
		-chardev "file,id=stderr,path=/run/tph/$machine/stderr" -device virtserialport,chardev=stderr,name=org.rdma-tph.stderr \
		-netdev "dgram,id=$nic,local.type=unix,local.path=/run/tph/$machine.$nic.sock,remote.type=unix,remote.path=/run/tph/$machine.switch.sock" \
		-device "virtio-net-pci,netdev=$nic,mac=52:54:00:74:70:68"
	if [ -n "$DRY_RUN" ]; then
		echo "$@"
		return
	fi
	"$@" >"$machine/machine.log" 2>&1 </dev/null || echo "$machine: QEMU ended with status $?" >>"$machine/machine.log"
	: >"$machine/job/ended"
}

machines_print()
{
	while read -r machine nic _; do
		machine_run "$machine" "$nic"
	done <machines
}

# What one boot left that got stuck goes before the next.
machines_start()
{
	# Frames that wait in a socket for QEMU: ten of them, which is what there is else, are less than a message has.
	[ ! -s machines ] || echo 1024 >/proc/sys/net/unix/max_dgram_qlen 2>/dev/null || :
	while read -r machine nic _; do
		(cd "$machine/job" && rm -rf started status ended kernel place ready requests stop)
		machine_run "$machine" "$nic" &
		machines_pids="${machines_pids:-} $!"
	done <machines
}

# machines_stop: they end by themselves, or are ended.
machines_stop()
{
	while read -r machine _; do
		: >"$machine/job/stop"
		tries=150
		until [ -e "$machine/job/ended" ] || [ $tries -eq 0 ]; do
			tries=$((tries - 1))
			sleep 0.2
		done
	done <machines
	# QEMU is a child of the shell that waits for it; all end with the sandbox.
	for machines_pid in ${machines_pids:-}; do
		kill "$machines_pid" 2>/dev/null || :
		wait "$machines_pid" 2>/dev/null || :
	done
}
