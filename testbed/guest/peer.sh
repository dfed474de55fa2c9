#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a machine of a topology, besides the first one, that has an HCA function: its interface, in the first name space of the machine, is called eth (of
# IPoIB: ib) and gets addresses, and then the commands of the first machine are run, until that one ends. If there are more functions, it is the first.
# /mnt/job has number (N of the addresses 10.8.0.N and fd08::N), and gets kernel, place (a line as in /run/name-spaces of the first machine), and ready.
set -eu
# shellcheck source=testbed/guest/control.sh
. /mnt/src/testbed/guest/control.sh
# shellcheck source=testbed/guest/pair.sh
. /mnt/src/testbed/guest/pair.sh
# shellcheck source=testbed/guest/ethernet.sh
. /mnt/src/testbed/guest/ethernet.sh
# shellcheck source=testbed/guest/requests.sh
. /mnt/src/testbed/guest/requests.sh
number=$(cat /mnt/job/number)
mtu=$(sed -n 's/^mtu //p' "/mnt/src/testbed/topologies/$(cat /mnt/job/topology)")
uname -r >/mnt/job/kernel
# A packaged kernel has them as modules.
[ ! -d "/lib/modules/$(uname -r)" ] || busybox modprobe -a mlx5_ib rdma_ucm ib_umad
name=$(functions_here 'map(select(.kind == "hca")) | sort_by(.bdf)[0].name')
interface_of "$name"
ip link set "$interface" name "$interface_name"
ip link set "$interface_name" ${mtu:+mtu "$mtu"} up
ip address add "10.8.0.$number/24" dev "$interface_name"
ip address add "fd08::$number/64" dev "$interface_name" nodad
device_of "$name" "$number"
# The commands may ask the emulator, too.
exec 7>&-
requests_serve "$device" "10.8.0.$number" "$gid"
