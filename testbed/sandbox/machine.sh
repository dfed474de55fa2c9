#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: start the emulator and QEMU, and wait for QEMU to end. Everything is in the run
# directory /run/tph:
#     devices     one device per line, see testbed/devices; machine=NAME: it is in that machine of the topology, and not in the first one
#     machines    other machines of the topology (machines.sh)
#     settings    shell assignments: KERNEL IMAGE PROGRAMS TESTS SELFTESTS MEMORY CPUS IOMMU ACCEL
#                 SHELL_MODE SHARE CMDLINE DRY_RUN, DEBIAN_MACHINE (what other machines boot), PCAP (of HCAs beside pcap=NAME.pcapng), and UPLINK and UPLINK_MACHINE (a link of the switch to another machine, whose devices are in another one than these), OTHER, the programs of a second emulator: it serves the
#                 devices whose line begins with "other" (./tph bench --vs), and has files other.* here
#     job/        shared with the guest: command, status, what the job leaves; places, lines "NAME BDF" of
#                 the devices that the emulator does not know: QEMU's own, and those of the second one
#     stdout, stderr      named pipes for the guest command's output
#     qmp.sock    QEMU Machine Protocol
#     dmesg, machine.log, trace.bin, *.pcapng      evidence
# With DRY_RUN=1 in settings the commands are printed instead, on the host; TPH_MACHINE_DIR is the run directory there.
# shellcheck disable=SC2089,SC2090 # the JSON in $devices has no blanks and is split at blanks on purpose
set -eu
machine_scripts=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "${TPH_MACHINE_DIR:-/run/tph}"
# shellcheck source=/dev/null
. ./settings
# shellcheck source=testbed/sandbox/machines.sh
. "$machine_scripts/machines.sh"

# The emulator has a mount, network (machines_net; with UPLINK that of this machine) and IPC name space of its own, no capabilities, and of the machine
# only libraries, its program and the run directory without the job. Not a PID name space: its control
# socket tells its clients apart by their processes. It says the emulator's process to descriptor 9.
# confined PROGRAMS: the words before the emulator's.
confined()
{
	echo "bwrap --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc \
		--ro-bind $1 $1 --bind /run/tph /run/tph --tmpfs /run/tph/job$(machines_hidden) --chdir /run/tph \
		$([ -n "$UPLINK" ] || machines_own '.*' || echo --unshare-net) --unshare-ipc --unshare-uts --unshare-cgroup-try --cap-drop ALL --die-with-parent \
		--clearenv --info-fd 9"
}

emulator="$PROGRAMS/tph-emulator --control /run/tph/control.sock --trace /run/tph/trace.bin --guest-cpus $((CPUS + $(wc -l <machines)))$(machines_links)${UPLINK:+ --link wire,dgram=inet:$UPLINK}"
other=
# It has machines of its own, or serves lines that begin with "other".
! machines_own '.*' || OTHER=$PROGRAMS
if [ -n "$OTHER" ]; then
	other="$OTHER/tph-emulator --control /run/tph/other.sock --trace /run/tph/other.bin$(machines_link_back)"
	# Earlier ones do not ask.
	! "$OTHER/tph-emulator" --help 2>&1 | grep -q -e --guest-cpus || other="$other --guest-cpus $CPUS"
fi
# The kinds of devices that the emulator has an option for; nothing: they are not known here.
kinds=
[ ! -e "$PROGRAMS/tph-emulator" ] ||
	kinds=" $("$PROGRAMS/tph-emulator" --help | sed -n 's/^  --\([a-z0-9-]*\) PROPERTIES.*/\1/p' | tr '\n' ' ')"
newline='
'
# in_machine NAME: whether the line is of that machine; the first one has no name.
in_machine()
{
	at=
	case "$kind $rest " in
	\#*) ;;
	*' machine='*) at=${rest##*machine=} at=${at%% *} ;;
	esac
	[ "$at" = "$1" ]
}

# devices_of NAME: of that machine, $devices, the words of QEMU, and $places; the options of the emulators get longer.
devices_of()
{
	devices='' ports=0 buses=' ' places='' cpu=EPYC
	while read -r kind name slot rest; do
		in_machine "$1" || continue
		by=emulator
		[ -z "$1" ] || ! machines_own "$1" || by=own
		if [ "$kind" = other ]; then
			by=other kind=$name name=$slot slot=${rest%% *} rest=${rest#* }
		fi
		rest=$(echo "$rest" | tr ' ' ',')
		case $1,$kind in
		?*,port | ?*,upstream | ?*,downstream | ?*,qemu-nvme)
			echo "devices: $name: the machine $1 has HCA functions and endpoints only, no $kind" >&2
			exit 1
			;;
		esac
		bus=00 place="\"addr\":\"0x$slot\""
		case $slot in
		*:*)
			# QEMU says it of a port that is not there.
			bus=${buses##* "${slot%:*}"=} bus=${bus%% *} bus=${bus:-ff}
			place="\"bus\":\"${slot%:*}\",\"addr\":\"0x${slot#*:}\""
			slot=${slot#*:}
			;;
		esac
		bdf=0000:$bus:$slot
		case $slot in
		*.*) ;;
		*) bdf=$bdf.0 ;;
		esac
		# The firmware numbers the buses below ports in their order.
		case $kind in
		port | upstream | downstream)
			ports=$((ports + 1))
			buses="$buses$name=$(printf %02x $ports) "
			;;
		esac
		case $by,$kind in
		other,* | *,port | *,upstream | *,downstream | *,qemu-nvme)
			places="$places$name $bdf$newline"
			;;
		esac
		case $kind in
		ipoib-mtu) emulator="$emulator --ipoib-mtu $name" ;;
		qemu-nvme)
			devices="$devices -device nvme,id=$name,addr=0x$slot,serial=$name,legacy-cmb=on${rest:+,$rest}"
			;;
		port)
			# Its link is slow, so that the kernel waits for the device and not for a link state
			# that QEMU's port does not show.
			devices="$devices -device pcie-root-port,id=$name,addr=0x$slot,x-speed=2_5,chassis=$ports,slot=$ports"
			;;
		upstream | downstream)
			# A switch, declared as its buses are numbered: each port before what is below it.
			case $kind in
			upstream) port=x3130-upstream ;;
			downstream) port="xio3130-downstream,chassis=$ports,slot=$ports" ;;
			esac
			devices="$devices -device $port,id=$name,$(echo "$place" | tr -d '"' | tr : =)"
			;;
		cpu) cpu=$name ;;
		'' | \#*) ;;
		*)
			case $kinds in
			'' | *" $kind "*) ;;
			*)
				echo "devices: unknown kind '$kind'" >&2
				exit 1
				;;
			esac
			served="--$kind name=$name,id=${bdf#0000:},socket=/run/tph/$name.sock${rest:+,$rest}${UPLINK_MACHINE:+,machine=$UPLINK_MACHINE}"
			case $kind,$by,$PCAP in
			hca,other,* | *,) ;;
			hca,*) served="$served,pcap=/run/tph/$name.pcapng,$PCAP" ;;
			esac
			case $by in
			emulator) emulator="$emulator $served" ;;
			*) other="$other $served" ;;
			esac
			# A late reply would desynchronise the stream for good, so QEMU waits long.
			devices="$devices -device {\"driver\":\"vfio-user-pci\",\"id\":\"$name\",$place,\"socket\":{\"type\":\"unix\",\"path\":\"/run/tph/$name.sock\"},\"x-msg-timeout\":600000}"
			;;
		esac
	done <devices
}

# Each line is of a machine that there is.
while read -r kind name slot rest; do
	in_machine '' || grep -q "^$at " machines || {
		echo "devices: $name: machine=$at: the topology has no such machine" >&2
		exit 1
	}
done <devices
machines_devices
devices_of ''

# no_timer_check: on a busy machine the emulated timer is late, and that is no broken timer.
case $IOMMU in
pt) iommu_args='intel_iommu=on iommu=pt' ;;
translated) iommu_args='intel_iommu=on iommu.passthrough=0' ;;
off) iommu_args='vfio.enable_unsafe_noiommu_mode=1' ;;
esac

set -- qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -name tph \
	-qmp unix:/run/tph/qmp.sock,server=on,wait=off
if [ "$ACCEL" = kvm ]; then
	set -- "$@" -accel kvm -cpu host
else
	set -- "$@" -accel tcg,thread=multi -cpu "$cpu"
fi
set -- "$@" -machine q35,kernel-irqchip=split -smp "$CPUS" -m "$MEMORY" \
	-object "memory-backend-memfd,id=ram,size=$MEMORY,share=on" -numa node,memdev=ram \
	-kernel "$KERNEL/bzImage" -append "console=ttyS0 root=/dev/vda rootfstype=erofs ro \
init=/usr/sbin/tph-init panic=-1 no_timer_check $iommu_args $CMDLINE" \
	-chardev file,id=dmesg,path=/run/tph/dmesg -serial chardev:dmesg \
	-drive "if=none,id=root,format=raw,readonly=on,file=$IMAGE/root.img" \
	-device virtio-blk-pci,drive=root,addr=0x1 \
	-fsdev local,id=src,path=/src,security_model=none,readonly=on \
	-device virtio-9p-pci,fsdev=src,mount_tag=src,addr=0x1c \
	-fsdev "local,id=bin,path=$PROGRAMS,security_model=none,readonly=on" \
	-device virtio-9p-pci,fsdev=bin,mount_tag=bin,addr=0x1d \
	-fsdev local,id=job,path=/run/tph/job,security_model=none \
	-device virtio-9p-pci,fsdev=job,mount_tag=job,addr=0x1e \
	-device virtio-serial-pci,addr=0x2
[ -z "$TESTS" ] || set -- "$@" -fsdev "local,id=tests,path=$TESTS,security_model=none,readonly=on" \
	-device virtio-9p-pci,fsdev=tests,mount_tag=tests,addr=0x19
[ -z "$SELFTESTS" ] ||
	set -- "$@" -fsdev "local,id=selftests,path=$SELFTESTS,security_model=none,readonly=on" \
		-device virtio-9p-pci,fsdev=selftests,mount_tag=selftests,addr=0x18
[ -z "$SHARE" ] || set -- "$@" -fsdev local,id=share,path=/mnt/share,security_model=none \
	-device virtio-9p-pci,fsdev=share,mount_tag=share,addr=0x1b
[ "$IOMMU" = off ] || set -- "$@" -device intel-iommu,intremap=on,caching-mode=on
if [ -n "$SHELL_MODE" ]; then
	set -- "$@" -chardev stdio,id=tty,signal=off -device virtconsole,chardev=tty
else
	set -- "$@" -chardev file,id=stdout,path=/run/tph/stdout \
		-device virtserialport,chardev=stdout,name=org.rdma-tph.stdout \
		-chardev file,id=stderr,path=/run/tph/stderr \
		-device virtserialport,chardev=stderr,name=org.rdma-tph.stderr
fi
if [ -e "$PROGRAMS/tph-emulator" ] || [ -n "$DRY_RUN" ]; then
	set -- "$@" -chardev socket,id=control,path=/run/tph/control.sock \
		-device virtserialport,chardev=control,name=org.rdma-tph.control
fi
# shellcheck disable=SC2046,SC2086 # one word per option; JSON without blanks
set -- "$@" $devices $(machines_shares)

if [ -n "$DRY_RUN" ]; then
	# shellcheck disable=SC2086 # one word per option
	echo "$(machines_net this)$(confined "$PROGRAMS") $emulator"
	[ -z "$other" ] || echo "$(machines_net other)$(confined "$OTHER") $other"
	echo "$@"
	machines_print
	exit 0
fi

# start NAME COMMAND: an emulator, until its control socket NAME.sock is there. Sets start_pid.
start()
{
	start_log=emulator
	[ "$1" = control ] || start_log=$1
	# shellcheck disable=SC2086 # words
	$2 >"$start_log.log" 2>&1 9>"$start_log.json" &
	start_pid=$!
	while [ ! -S "$1.sock" ]; do
		kill -0 "$start_pid" 2>/dev/null || {
			echo "the emulator did not start:" >&2
			cat "$start_log.log" >&2
			exit 1
		}
		sleep 0.05
	done
}

# stop LOG PID: an emulator; sets status when it failed.
stop()
{
	kill -TERM "$(sed -n 's/.*"child-pid": \([0-9]*\).*/\1/p' "$1.json")" 2>/dev/null || :
	wait "$2" || {
		echo "the emulator failed:" >&2
		tail -n 40 "$1.log" >&2
		status=1
	}
}

printf %s "$places" >job/places
if [ -e "$PROGRAMS/tph-emulator" ]; then
	# Of a boot before this one that got stuck.
	rm -f ./*.sock
	machines_wire
	start control "$(machines_net this)$(confined "$PROGRAMS") $emulator"
	confined_pid=$start_pid
	if [ -n "$other" ]; then
		start other "$(machines_net other)$(confined "$OTHER") $other"
		other_pid=$start_pid
	fi
fi
machines_start
status=0
# A test that kills QEMU has a second one come to the same emulator.
if [ -e again ]; then
	"$@" >first.log 2>&1 || status=$?
	echo "the first QEMU ended with status $status" >&2
	status=0
fi
if [ -n "$SHELL_MODE" ]; then
	"$@" 2>machine.log || status=$?
else
	"$@" >machine.log 2>&1 || status=$?
fi
machines_stop
[ -z "${confined_pid:-}" ] || stop emulator "$confined_pid"
[ -z "${other_pid:-}" ] || stop other "$other_pid"
exit "$status"
