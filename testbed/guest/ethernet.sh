# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced in the guest, after control.sh and pair.sh: HCA functions with Ethernet ports, the interface of each in a name space of its own,
# so that what goes from one to another goes over the switch. On an InfiniBand port the interface is that of IPoIB.

# interface_of NAME: sets interface, that of the function which the devices file calls NAME, and interface_name, what it is to be called here: eth, or ib
# on an InfiniBand port. Returns 1 and says why when there is none.
interface_of()
{
	interface_bdf=$(bdf_of "$1") || return 1
	comes_up 60 $$ test -d "/sys/bus/pci/devices/$interface_bdf/net" || {
		echo "$1: its driver made no network interface" >&2
		return 1
	}
	interface=$(ls "/sys/bus/pci/devices/$interface_bdf/net") interface_name=eth
	# ARPHRD_INFINIBAND
	[ "$(cat "/sys/class/net/$interface/type")" != 32 ] || interface_name=ib
}

# device_of NAME NUMBER: sets device, the RDMA device of the function, and gid, the index of its GID of 10.8.0.NUMBER, which is - on an InfiniBand port:
# there nobody has to name one. Returns 1 and says why when there is none.
device_of()
{
	device_bdf=$(bdf_of "$1") || return 1
	comes_up 60 $$ test -d "/sys/bus/pci/devices/$device_bdf/infiniband" || {
		echo "$1: its driver made no RDMA device" >&2
		return 1
	}
	device=$(ls "/sys/bus/pci/devices/$device_bdf/infiniband") gid=-
	[ "$(cat "/sys/class/infiniband/$device/ports/1/link_layer")" != InfiniBand ] || return 0
	comes_up 60 $$ gid_index "$device" "$2" || {
		echo "$1: $device has no RoCE v2 GID of 10.8.0.$2" >&2
		return 1
	}
	gid=$(gid_index "$device" "$2")
}

# place NAMESPACE NAME NUMBER [MTU]: the interface of the function that the devices file calls NAME is called eth there (ib), has the addresses
# 10.8.0.NUMBER and fd08::NUMBER, and is up. Returns 1 and says why when there is none.
place()
{
	interface_of "$2" || return 1
	ip netns add "$1"
	ip link set "$interface" netns "$1"
	ip -n "$1" link set "$interface" name "$interface_name"
	ip -n "$1" link set lo up
	[ -z "${4:-}" ] || ip -n "$1" link set "$interface_name" mtu "$4"
	configure "$1" "$3" "$interface_name"
}

# configure NAMESPACE NUMBER [INTERFACE]: addresses, and up. The interface is eth if it has no name.
configure()
{
	ip -n "$1" link set "${3:-eth}" up
	ip -n "$1" addr replace "10.8.0.$2/24" dev "${3:-eth}"
	ip -n "$1" addr replace "fd08::$2/64" dev "${3:-eth}" nodad
}

# gid_index DEVICE NUMBER: the index of the RoCE v2 GID of 10.8.0.NUMBER. Returns 1 when the RDMA device has none.
gid_index()
{
	gid_port=${gid_sys:-/sys}/class/infiniband/$1/ports/1
	gid_wanted=$(printf '0000:0000:0000:0000:0000:ffff:0a08:%04x' "$2")
	grep -l "^$gid_wanted\$" "$gid_port/gids"/* | while read -r gid_file; do
		! grep -qx 'RoCE v2' "$gid_port/gid_attrs/types/${gid_file##*/}" || echo "${gid_file##*/}"
	done | grep -m 1 .
}

# What name-spaces.sh made: a line "NAME DEVICE ADDRESS GID-INDEX" of each function, and of each other machine; - is no GID. Without the file there
# are none.
name_spaces=/run/name-spaces machines=/run/machines

# name_space WORD: of the function, RDMA device or machine with that name; sets space_in (words before a command that runs there), space_address,
# space_gid (the index of its GID), space_options, those of perftest, and space_machine, if it is one. Without name spaces they are empty.
name_space()
{
	space_in='' space_address='' space_gid='' space_options='' space_machine=''
	[ -e "$name_spaces" ] || return 0
	while read -r space_name space_device space_at space_index; do
		case $1 in
		"$space_name" | "$space_device")
			space_in="ip netns exec $space_name" space_address=$space_at
			[ "$space_index" = - ] || space_gid=$space_index space_options="-x $space_index"
			[ ! -d "$machines/$space_name" ] || space_in="on $space_name" space_machine=$space_name
			return 0
			;;
		esac
	done <"$name_spaces"
	echo "name_space $1: no function has that name: $(cut -d ' ' -f 1 "$name_spaces" | tr '\n' ' ')" >&2
	return 1
}
