# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC2154 # settings of the caller
# Sourced by machine.sh: machines of a topology besides the first one, as the file machines of the run directory has them, a line
# "NAME KERNEL EMULATOR NIC IMPAIRMENT" for each (KERNEL is series or debian; EMULATOR is own: one besides that of the first machine; - for none of the
# last three). NAME/ there has
#     job/        shared with it and with the first machine, where it is /run/machines/NAME; job/ended comes when its QEMU has ended
#     words       those of QEMU for its devices
#     stdout, stderr, dmesg, machine.log      what it said
# The sockets of the wire between its interface and the emulator's switch are NAME.switch.sock and NAME.NIC.sock. The wire between two emulators is UDP
# between network name spaces of theirs, which a pair of veth joins: what two real machines have. All of that is the sandbox's, and goes with it.
[ -e machines ] || : >machines
machines_nets=/tmp/nets machines_here=10.9.0.1 machines_there=10.9.0.2 machines_port=14791

# machines_own NAME: whether an emulator besides the first one serves the machine; .*: any.
machines_own()
{
	grep -q "^$1 [a-z]* own " machines
}

# machines_links: options of the first emulator for their wires.
machines_links()
{
	while read -r machine _ by nic impairment; do
		case $by,$nic in
		own,*) printf ' --link %s,dgram=inet:%s:%s:%s:%s' "$machine" $machines_here $machines_port $machines_there $machines_port ;;
		*,-) continue ;;
		*) printf ' --link %s,dgram=unix:/run/tph/%s.switch.sock:/run/tph/%s.%s.sock' "$machine" "$machine" "$machine" "$nic" ;;
		esac
		[ "$impairment" = - ] || printf ',impair=%s' "$impairment"
	done <machines
}

# machines_link_back: that of the second emulator.
machines_link_back()
{
	! machines_own '.*' || printf ' --link wire,dgram=inet:%s:%s:%s:%s' $machines_there $machines_port $machines_here $machines_port
}

# machines_net EMULATOR: words before those of the emulator, this or other, which put it into its name space.
machines_net()
{
	! machines_own '.*' || printf 'nsenter --net=%s/%s ' $machines_nets "$1"
}

# machines_wire: the name spaces of two emulators, and the wire.
machines_wire()
{
	machines_own '.*' || return 0
	mkdir $machines_nets
	for net in this other; do
		: >$machines_nets/$net
		unshare --net=$machines_nets/$net true
	done
	PYTHONPATH=/src PYTHONDONTWRITEBYTECODE=1 python3 -m testbed.sandbox.veth \
		$machines_nets/this $machines_here $machines_nets/other $machines_there
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

# machines_devices: what is in them, for QEMU, and for the emulator.
machines_devices()
{
	while read -r machine _; do
		devices_of "$machine"
		printf %s "$devices" >"$machine/words"
		printf %s "$places" >"$machine/job/places"
	done <machines
}

# machine_run NAME KERNEL EMULATOR NIC: QEMU, until it ends; or its words, with DRY_RUN. It has one processor: most of the work is the first one's.
machine_run()
{
	machine=$1 boots=$2 nic=$4 control=control
	[ "$3" = - ] || control=other
	set -- qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -name "$machine"
	if [ "$ACCEL" = kvm ]; then
		set -- "$@" -accel kvm -cpu host
	else
		set -- "$@" -accel tcg,thread=multi -cpu EPYC
	fi
	case $boots in
	debian)
		root=$DEBIAN_MACHINE/root.img
		set -- "$@" -machine q35 -smp 1 -m 768M -kernel "$DEBIAN_MACHINE/bzImage" -initrd "$DEBIAN_MACHINE/initramfs" \
			-append 'console=ttyS0 panic=-1 no_timer_check mitigations=off'
		;;
	series)
		root=$IMAGE/root.img
		set -- "$@" -machine q35 -smp 1 -m "$MEMORY" -object "memory-backend-memfd,id=ram,size=$MEMORY,share=on" -numa node,memdev=ram \
			-kernel "$KERNEL/bzImage" -append "console=ttyS0 root=/dev/vda rootfstype=erofs ro init=/usr/sbin/tph-init panic=-1 \
no_timer_check $CMDLINE" \
			-chardev "socket,id=control,path=/run/tph/$control.sock"
		;;
	esac
	set -- "$@" -chardev "file,id=dmesg,path=/run/tph/$machine/dmesg" -serial chardev:dmesg \
		-drive "if=none,id=root,format=raw,readonly=on,file=$root" -device virtio-blk-pci,drive=root,addr=0x1 \
		-fsdev local,id=src,path=/src,security_model=none,readonly=on -device virtio-9p-pci,fsdev=src,mount_tag=src,addr=0x1c \
		-fsdev "local,id=bin,path=$PROGRAMS,security_model=none,readonly=on" -device virtio-9p-pci,fsdev=bin,mount_tag=bin,addr=0x1d \
		-fsdev "local,id=job,path=/run/tph/$machine/job,security_model=none" -device virtio-9p-pci,fsdev=job,mount_tag=job,addr=0x1e \
		-device virtio-serial-pci,addr=0x2 \
		-chardev "file,id=stdout,path=/run/tph/$machine/stdout" -device virtserialport,chardev=stdout,name=org.rdma-tph.stdout \
		-chardev "file,id=stderr,path=/run/tph/$machine/stderr" -device virtserialport,chardev=stderr,name=org.rdma-tph.stderr
	[ "$boots" != series ] || set -- "$@" -device virtserialport,chardev=control,name=org.rdma-tph.control
	[ "$boots" != series ] || [ -z "$TESTS" ] || set -- "$@" \
		-fsdev "local,id=tests,path=$TESTS,security_model=none,readonly=on" -device virtio-9p-pci,fsdev=tests,mount_tag=tests,addr=0x19
	[ "$nic" = - ] || set -- "$@" \
		-netdev "dgram,id=$nic,local.type=unix,local.path=/run/tph/$machine.$nic.sock,remote.type=unix,remote.path=/run/tph/$machine.switch.sock" \
		-device "virtio-net-pci,netdev=$nic,mac=52:54:00:74:70:68,addr=0x3"
	# shellcheck disable=SC2046 # one word per option; JSON without blanks
	set -- "$@" $(cat "$machine/words")
	if [ -n "$DRY_RUN" ]; then
		echo "$@"
		return
	fi
	"$@" >"$machine/machine.log" 2>&1 </dev/null || echo "$machine: QEMU ended with status $?" >>"$machine/machine.log"
	: >"$machine/job/ended"
}

machines_print()
{
	while read -r machine boots by nic _; do
		machine_run "$machine" "$boots" "$by" "$nic"
	done <machines
}

# What one boot left that got stuck goes before the next.
machines_start()
{
	# Frames that wait in a socket for QEMU: ten of them, which is what there is else, are less than a message has.
	[ ! -s machines ] || echo 1024 >/proc/sys/net/unix/max_dgram_qlen 2>/dev/null || :
	while read -r machine boots by nic _; do
		(cd "$machine/job" && rm -rf started status ended kernel place ready requests stop)
		machine_run "$machine" "$boots" "$by" "$nic" &
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
