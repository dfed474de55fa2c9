# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of this suite: the kernel's own test of the hint feature.
tph_selftests=/mnt/tests/selftests/vfio
tph_other=$(bdf_of ext1)
tph_variant=$(bdf_of ext2)
tph_mdev=83b8f4f2-509f-382f-3c1e-e6bfe0fa1001

# vfio_tph BDF [OPTION...]: the device under test, and what is left of the test's cases. Beside it there are an endpoint on vfio-pci, one on a
# variant driver that exports no dma-bufs, and a vfio device that is not on the PCI bus.
vfio_tph()
{
	trap vfio_tph_clean_up EXIT
	tph_device=$1
	shift
	vfio_bind "$tph_device"
	vfio_bind "$tph_other"
	echo mlx5_vfio_pci >/sys/bus/pci/devices/"$tph_variant"/driver_override
	echo "$tph_variant" >/sys/bus/pci/drivers_probe
	echo $tph_mdev >/sys/devices/virtual/mdpy/mdpy/mdev_supported_types/mdpy-vga/create
	busybox insmod $tph_selftests/test_modules/dma_buf_tph_query.ko
	ktap $tph_selftests/vfio_dma_buf_tph_test "$@" "$tph_device" "$tph_other" "$tph_variant"
}

vfio_tph_clean_up()
{
	busybox rmmod dma_buf_tph_query || :
	echo 1 >/sys/bus/mdev/devices/$tph_mdev/remove || :
	echo "$tph_variant" >/sys/bus/pci/drivers/mlx5_vfio_pci/unbind || :
	echo >/sys/bus/pci/devices/"$tph_variant"/driver_override
	vfio_give_back_all
}
