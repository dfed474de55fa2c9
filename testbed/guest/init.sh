#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Rest of the guest's start: runs /mnt/job/command with its output on the testbed's ports, leaves
# the exit status in /mnt/job/status, and powers off. Never returns.

# port NAME: device node of a virtio-serial port.
port()
{
	for entry in /sys/class/virtio-ports/*; do
		if [ "$(cat "$entry/name" 2>/dev/null)" = "$1" ]; then
			echo "/dev/$(basename "$entry")"
			return
		fi
	done
}

# mount_9p TAG DIR [OPTION]: unless this boot comes without it.
mount_9p()
{
	[ ! -e "/mnt/job/$1" ] ||
		mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000${3:+,$3}" "$1" "$2"
}

: >/mnt/job/started
ip link set lo up
mount_9p share /mnt/share
mount_9p tests /mnt/tests ro
mount_9p selftests /mnt/tests/selftests ro
[ ! -d /sys/kernel/tracing ] || mount -t tracefs tracefs /sys/kernel/tracing

# machine NAME: /run/machines/NAME is the job's directory of another machine of the topology.
machine()
{
	mkdir -p "/run/machines/$1"
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 "$1" "/run/machines/$1"
}
[ ! -e /mnt/job/machines ] || while read -r name _; do
	machine "$name"
done </mnt/job/machines

# There is no udev to load what a packaged kernel has as modules.
[ -e /mnt/job/number ] || [ ! -d "/lib/modules/$(uname -r)" ] ||
	busybox modprobe -a mlx5_ib rdma_ucm ib_umad iommufd vfio-pci rdma_rxe dummy

# member KEY: of this boot's topology
member()
{
	sed -n "s/^$1 //p" "/mnt/src/testbed/topologies/$(cat /mnt/job/topology)"
}

TPH_CONTROL=$(port org.rdma-tph.control)
# Programs of packages, where the guest has them, come before those of the checkout.
export TPH_CONTROL PATH="/mnt/bin:/mnt/src/testbed/guest:$PATH:/mnt/src/doctor:/mnt/tests"
# shellcheck disable=SC3045 # the guest has dash, which knows -l
ulimit -l unlimited
cd /root || exit 1
prepare=:
# Functions of one guest on InfiniBand reach each other by LID alone. A machine with a number is prepared by its own script.
if [ ! -e /mnt/job/number ] && { [ "$(member port)" = ethernet ] || [ -e /mnt/job/machines ]; }; then
	prepare="/bin/sh /mnt/src/testbed/guest/name-spaces.sh $(member port) $(cat /mnt/job/mtu 2>/dev/null || member mtu) >&2"
fi

if [ -e /mnt/job/shell ]; then
	/bin/sh -c "$prepare" </dev/null >/dev/hvc0 2>&1
	echo "rdma-tph guest, $(uname -r); leave with 'exit' or ctrl-d" >/dev/hvc0
	stty rows "$(sed -n 1p /mnt/job/shell)" cols "$(sed -n 2p /mnt/job/shell)" </dev/hvc0
	TERM=$(sed -n 3p /mnt/job/shell) setsid --ctty --wait /bin/sh -i </dev/hvc0 >/dev/hvc0 2>&1
else
	/bin/sh -c "$prepare && exec /bin/sh /mnt/job/command" </dev/null >"$(port org.rdma-tph.stdout)" \
		2>"$(port org.rdma-tph.stderr)"
fi
status=$?
[ ! -d /mnt/job/gcov ] || sh /mnt/src/testbed/coverage/collect.sh /mnt/job/gcov
echo $status >/mnt/job/status
sync
exec busybox poweroff -f
