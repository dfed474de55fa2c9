# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Checks of the endpoint, the completer, and of its BAR.
# shellcheck disable=SC2154 # variables of tph-doctor, and results that functions set

check_endpoint_device()
{
	if [ ! -d "$PCI/$bdf" ]; then
		problem "there is no PCI device $bdf" "lspci -D lists them"
		return
	fi
	config "$bdf" VENDOR_ID || {
		unseen
		return
	}
	# Reads that nobody answers give all ones. So does the ID of a VF (9.3.4.1.1), but not what is behind it.
	if [ -z "$(od -An -v -tx1 -N 64 "$PCI/$bdf/config" | tr -d ' f\n')" ]; then
		problem "$bdf does not answer: it is gone, or in a reset" \
			"echo 1 >$PCI/$bdf/remove; echo 1 >/sys/bus/pci/rescan"
	else
		ok "there is a PCI device $bdf"
	fi
}

check_endpoint_completer()
{
	completer "$bdf" && found=0 || found=$?
	if [ "$found" -eq 2 ]; then
		unseen
		return
	fi
	[ "$found" -eq 0 ] || value=0
	endpoint_completer=$value
	other="use a device that is one; the hint would be refused (EOPNOTSUPP)"
	case $endpoint_completer in
	1) ok "$bdf is a TPH completer, for 8-bit tags" ;;
	3) ok "$bdf is a completer of TPH and Extended TPH" ;;
	0) problem "$bdf is no TPH completer (Device Capabilities 2, bits 13:12: 00b)" "$other" ;;
	*) problem "$bdf has a reserved value in its TPH completer field (Device Capabilities 2, bits 13:12: 10b)" \
		"$other" ;;
	esac
}

check_endpoint_width()
{
	if [ "$endpoint_completer" -eq 1 ] && [ -n "$st_ext" ]; then
		problem "$bdf takes 8-bit tags only, and the hint has an Extended Steering Tag" "leave out --st-ext"
	elif [ "$endpoint_completer" -eq 1 ] && [ "${hca_width:-8}" -eq 16 ]; then
		problem "$bdf takes 8-bit tags only, and $hca sends Extended Steering Tags" \
			"use an HCA whose tags have 8 bits: its own, or those of its root port"
	else
		ok "$bdf takes the tag"
	fi
}

check_endpoint_driver()
{
	driver_of "$bdf"
	how="echo vfio-pci >$PCI/$bdf/driver_override; "
	case $driver in
	vfio-pci | *_vfio_pci | *-vfio-pci) ok "$bdf is bound to $driver" ;;
	'') problem "$bdf is bound to no driver" "modprobe vfio-pci; ${how}echo $bdf >/sys/bus/pci/drivers_probe" ;;
	*) problem "$bdf is bound to $driver and not to vfio-pci" \
		"modprobe vfio-pci; $how echo $bdf >$PCI/$bdf/driver/unbind; echo $bdf >/sys/bus/pci/drivers_probe" ;;
	esac
}

# Drivers that do no DMA by themselves leave a group viable (iommu_device_claim_dma_owner() and
# driver_managed_dma).
check_endpoint_group()
{
	if [ ! -e "$PCI/$bdf/iommu_group" ]; then
		if grep -qsx Y "$SYS"/module/vfio/parameters/enable_unsafe_noiommu_mode; then
			ok "$bdf is in no IOMMU group; vfio works without an IOMMU here"
		else
			problem "$bdf is in no IOMMU group: there is no IOMMU, or it is off" \
				"enable it in the firmware and boot with intel_iommu=on; or, where safety does not \
matter, enable_unsafe_noiommu_mode=1 of the module vfio"
		fi
		return
	fi
	group=$(readlink "$PCI/$bdf/iommu_group")
	group=${group##*/}
	foreign=
	for member in "$PCI/$bdf"/iommu_group/devices/*; do
		member=${member##*/}
		driver_of "$member"
		case $driver in
		'' | vfio-pci | *_vfio_pci | *-vfio-pci | pci-stub | pcieport | pci-pf-stub) ;;
		*) foreign="$foreign $member ($driver)" ;;
		esac
	done
	if [ -n "$foreign" ]; then
		problem "IOMMU group $group of $bdf is not viable: a host driver has$foreign" \
			"bind all of the group's devices to vfio-pci"
	else
		ok "IOMMU group $group of $bdf belongs to vfio alone"
	fi
}

# holders: the processes that have open what /dev/vfio has of the endpoint, as far as one may see them.
holders()
{
	cdev=$(find "$PCI/$bdf/vfio-dev" -mindepth 1 -maxdepth 1 2>/dev/null | head -n 1)
	find /proc/[0-9]*/fd \( -lname "/dev/vfio/devices/$(basename "${cdev:-none}")" \
		-o -lname "/dev/vfio/${group:-none}" \) 2>/dev/null | cut -d / -f 3 | sort -u |
		while read -r pid; do
			echo "$pid ($(cat "/proc/$pid/comm" 2>/dev/null))"
		done | xargs
}

# What opening it said. iommufd tells a second user EINVAL.
check_endpoint_access()
{
	trial_says vfio || return 0
	case $result in
	ok) ok "$bdf can be opened, by $details" ;;
	EACCES | EPERM) problem "no permission: $details" "run this as root, or chown what /dev/vfio has of it" ;;
	EBUSY | EINVAL)
		by=$(holders)
		problem "in use${by:+ by process $by}: $details" "end its user"
		;;
	*) problem "$details" '' ;;
	esac
}

# Memory Space Enable, bit 1 of Command (7.5.1.1.3). vfio-pci sets it when the function is opened; its user
# may clear it, which revokes all dma-bufs.
# Of virtual functions the bit is 0; their memory is on by VF MSE, bit 3 of SR-IOV Control of their physical function
# (extended capability 10h, offset 8; 9.3.3.3.4).
check_endpoint_memory()
{
	if virtual "$bdf"; then
		pf=$(basename "$(readlink "$PCI/$bdf/physfn")")
		config "$pf" ECAP10+8.W || {
			unseen
			return
		}
		if [ $((value & 8)) -ne 0 ]; then
			ok "memory decode of the virtual functions of $pf is on"
		else
			problem "memory decode of the virtual functions of $pf is off (SR-IOV Control, bit 3)" \
				"the driver of $pf sets the bit; give it sriov_numvfs anew"
		fi
		return
	fi
	config "$bdf" COMMAND || {
		unseen
		return
	}
	if [ $((value & 2)) -ne 0 ]; then
		ok "memory decode of $bdf is on"
	elif trial_result vfio && [ "$result" != ok ]; then
		problem "memory decode of $bdf is off (Command, bit 1): its BARs do not answer, its dma-bufs are revoked" \
			"its user has to set the bit, or to end; then vfio-pci sets it"
	else
		unknown "memory decode of $bdf is off; vfio-pci turns it on when the function is opened" \
			"run this without --no-trial"
	fi
}

# The third column of sysfs' "resource" has IORESOURCE_MEM, 200h. Ranges are pages, as vfio maps and exports.
check_bar()
{
	if [ -z "$bar" ]; then
		problem "$bdf has no memory BAR" "name another device"
		return
	fi
	if [ "$bar_size" -eq 0 ]; then
		problem "$bdf has no memory BAR $bar; it has:$bars" "choose with --bar"
	elif [ $((offset % page)) -ne 0 ] || [ $((length % page)) -ne 0 ]; then
		problem "offset $offset or length $length is no multiple of the page size, $page" \
			"choose others with --offset and --length"
	elif [ "$offset" -ge "$bar_size" ] || [ "$length" -gt $((bar_size - offset)) ]; then
		problem "$length bytes from $offset on are not in BAR $bar of $bdf, which has $bar_size" \
			"choose others with --offset and --length"
	else
		ok "BAR $bar of $bdf has $bar_size bytes, the range is in it"
	fi
}

# Class Code (7.5.1.1.6): 0108xxh is an NVMe controller, whose registers are in BAR 0. IORESOURCE_PREFETCH, 2000h:
# what reads change, and what does not keep what is written, is not prefetchable (7.5.1.2.1). vfiobar_check_memory()
# refuses these.
check_bar_registers()
{
	class=$(cat "$PCI/$bdf/class") flags=$(awk -v n="$bar" 'NR == n + 1 { print $3 }' "$PCI/$bdf/resource")
	case $class,$bar in
	0x0108??,0)
		problem "BAR 0 of $bdf holds the registers of an NVMe controller (class ${class#0x}): data written there \
is commands to it" "choose the BAR of its memory buffer with --bar"
		return
		;;
	esac
	if [ $((flags & 0x2000)) -ne 0 ]; then
		ok "BAR $bar of $bdf is prefetchable, as memory is"
	else
		problem "BAR $bar of $bdf is not prefetchable, so it holds registers (class ${class#0x}): data written \
there is commands to the device" "choose another with --bar"
	fi
}

# msix_overlap REGISTER BYTES: does a structure of the MSI-X capability, named by its offset register (bits 2:0 the
# BAR, the rest the offset; 7.7.2.3), share a page with the range?
msix_overlap()
{
	config "$bdf" "$1" || return 2
	[ $((value & 7)) -eq "$bar" ] || return 1
	msix_begin=$(((value & ~7) / page * page))
	msix_end=$((((value & ~7) + $2 + page - 1) / page * page))
	[ "$msix_begin" -lt $((offset + length)) ] && [ "$offset" -lt "$msix_end" ]
}

# MSI-X capability 11h: Message Control bits 10:0 are the number of vectors less one; 16 bytes of table and one
# pending bit each (7.7.2).
check_bar_msix()
{
	config "$bdf" CAP11+2.W && found=0 || found=$?
	case $found in
	1)
		ok "$bdf has no MSI-X"
		return
		;;
	2)
		unseen
		return
		;;
	esac
	vectors=$(((value & 0x7ff) + 1))
	pending_words=$(((vectors + 63) / 64))
	for part in "table CAP11+4.L $((vectors * 16))" "pending bits CAP11+8.L $((pending_words * 8))"; do
		bytes=${part##* }
		register=${part% *}
		if msix_overlap "${register##* }" "$bytes"; then
			problem "the range has pages of the MSI-X ${register% *} of $bdf, BAR $bar bytes $msix_begin to \
$msix_end: writes there would move interrupts" "choose a range elsewhere with --bar and --offset"
			return
		fi
	done
	ok "the range has no page of an MSI-X structure"
}

check_bar_export()
{
	trial_says export || return 0
	case $result in
	ok) ok "the range becomes a dma-buf" ;;
	ENOTTY) problem "the kernel has no export of BARs: $details" \
		"use Linux 6.19 or newer with CONFIG_VFIO_PCI_DMABUF" ;;
	EOPNOTSUPP) problem "the driver of $bdf exports no BARs: $details" "bind it to vfio-pci itself" ;;
	*) problem "$details" "look at what the other checks of the BAR say" ;;
	esac
}

check_endpoint_hint()
{
	trial_says hint || return 0
	case $result in
	ok) ok "the dma-buf takes the hint $hint" ;;
	ENOTTY) problem "vfio has no hints: no rdma-tph series" "build and boot a kernel with the patches of kernel/" ;;
	EOPNOTSUPP) problem "$bdf takes no hint $hint (EOPNOTSUPP)" "it is no TPH completer of that width" ;;
	*) problem "attaching the hint $hint to a dma-buf of $bdf: $result" '' ;;
	esac
}
