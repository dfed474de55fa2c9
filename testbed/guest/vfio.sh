# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced in the guest: lend devices to vfio-pci and give them back.

# vfio_bind BDF: the device is bound to vfio-pci afterwards; its driver gets it back at exit.
vfio_bound=
vfio_bind()
{
	vfio_device=/sys/bus/pci/devices/$1
	[ -d "$vfio_device" ] || {
		echo "$1: no such PCI device" >&2
		return 1
	}
	vfio_driver=$(basename "$(readlink "$vfio_device/driver" || echo none)")
	[ "$vfio_driver" != vfio-pci ] || return 0
	echo vfio-pci >"$vfio_device/driver_override"
	[ "$vfio_driver" = none ] || echo "$1" >"$vfio_device/driver/unbind"
	echo "$1" >/sys/bus/pci/drivers_probe
	[ -e "/sys/bus/pci/drivers/vfio-pci/$1" ] || {
		echo "$1: vfio-pci does not bind to it" >&2
		vfio_give_back "$1" "$vfio_driver"
		return 1
	}
	vfio_bound="$vfio_bound $1=$vfio_driver"
}

# vfio_give_back BDF DRIVER
vfio_give_back()
{
	[ ! -e "/sys/bus/pci/drivers/vfio-pci/$1" ] || echo "$1" >/sys/bus/pci/drivers/vfio-pci/unbind
	echo >"/sys/bus/pci/devices/$1/driver_override"
	[ "$2" = none ] || echo "$1" >"/sys/bus/pci/drivers/$2/bind"
}

# vfio_give_back_all: what vfio_bind took.
vfio_give_back_all()
{
	for vfio_entry in $vfio_bound; do
		vfio_give_back "${vfio_entry%=*}" "${vfio_entry#*=}"
	done
	vfio_bound=
}
