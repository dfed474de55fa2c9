# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Checks of the HCA, the requester. TPH Requester capability: extended capability 17h (PCIe 6.3, 7.9.13).
# shellcheck disable=SC2154 # variables of tph-doctor, and results that functions set

check_hca_device()
{
	if [ -e "$IB/$hca" ]; then
		ok "there is an IB device $hca"
	else
		there=$(find "$IB/" -mindepth 1 -maxdepth 1 -exec basename {} \; 2>/dev/null | sort | xargs)
		problem "there is no IB device $hca; there are: ${there:-none}" \
			"name another one, or load its driver (modprobe mlx5_ib)"
	fi
}

check_hca_driver()
{
	driver=
	[ -z "$hca_bdf" ] || driver_of "$hca_bdf"
	case $driver in
	mlx5_core) ok "$hca is $hca_bdf, of mlx5_core" ;;
	'') problem "$hca is no PCI device, but a driver's software: there is no TPH" "name an mlx5 device" ;;
	*) problem "$hca is $hca_bdf, of $driver, which does not use the hints of dma-bufs" "name an mlx5 device" ;;
	esac
}

check_hca_port()
{
	verdict_of hca-bus-master
	if [ "$verdict" = problem ]; then
		# The question would hang.
		not_made "see hca-bus-master"
		return
	fi
	states=$(sed 's/.*: *//' "$IB/$hca"/ports/*/state 2>/dev/null | xargs)
	case " $states " in
	*' ACTIVE '*) ok "$hca has an active port" ;;
	*) problem "no port of $hca is active: ${states:-it has none}" "look at cable, switch and subnet manager" ;;
	esac
}

check_hca_node()
{
	node=
	for entry in "$SYS"/class/infiniband_verbs/uverbs*; do
		read -r ibdev 2>/dev/null <"$entry/ibdev" || ibdev=
		[ "$ibdev" != "$hca" ] || node=/dev/infiniband/${entry##*/}
	done
	if [ -z "$node" ] || [ ! -c "$node" ]; then
		problem "$hca has no device node ${node:-for verbs}" "modprobe ib_uverbs"
	elif [ -r "$node" ] && [ -w "$node" ]; then
		ok "$node can be opened"
	else
		problem "no permission to open $node" "chmod 666 $node; rdma-core's udev rules do that"
	fi
}

# Bus Master Enable, bit 2 of Command (7.5.1.1.3).
check_hca_bus_master()
{
	config "$hca_bdf" COMMAND || {
		unseen
		return
	}
	if [ $((value & 4)) -ne 0 ]; then
		ok "$hca_bdf may send requests"
	else
		problem "$hca_bdf is no bus master: it cannot send requests" \
			"bind its driver anew: echo $hca_bdf >/sys/bus/pci/drivers/mlx5_core/unbind, and >bind"
	fi
}

check_hca_tph_capability()
{
	config "$hca_bdf" ECAP17+4.L && found=0 || found=$?
	case $found in
	0)
		hca_tph=$value
		ok "$hca_bdf has the TPH Requester capability"
		;;
	1) problem "$hca_bdf has no TPH Requester capability" \
		"use an HCA with TPH; firmware settings may hide it (mlxconfig)" ;;
	*) unseen ;;
	esac
}

# TPH Requester Capability (7.9.13.2): bit 2 Device Specific mode, which mlx5_core enables; bits 10:9 where the
# ST table is, 10b in the MSI-X table, where mlx5_core does not use it; bits 26:16 its size less one.
check_hca_st_mode()
{
	if [ $((hca_tph & 4)) -eq 0 ]; then
		problem "$hca_bdf has no Device Specific mode, the only one that mlx5_core uses" \
			"use another HCA or firmware"
		return
	fi
	case $((hca_tph >> 9 & 3)) in
	0) ok "$hca_bdf has no ST table: memory keys hold the tag, up to 255" ;;
	1) ok "$hca_bdf has an ST table with $(((hca_tph >> 16 & 0x7ff) + 1)) entries" ;;
	*) problem "$hca_bdf has its ST table among its MSI-X vectors, where mlx5_core does not use it" \
		"use another HCA or firmware" ;;
	esac
}

# pcie_enable_tph() takes the lesser of what function and root port can do. Root complex integrated endpoints
# have no root port; others without one get no TPH.
check_hca_root_port()
{
	port_type "$hca_bdf" || {
		unseen
		return
	}
	hca_type=$value
	root_port=$(chain "$hca_bdf" | cut -d ' ' -f 1)
	if [ "$hca_type" -eq 9 ]; then
		ok "$hca_bdf is integrated in the root complex: no root port limits it"
		return
	fi
	if ! port_type "$root_port" || [ "$value" -ne 4 ] || ! completer "$root_port"; then
		problem "$hca_bdf has no root port above it, which the kernel wants for TPH" \
			"in a virtual machine: put it below a root port that is a TPH completer"
		return
	fi
	case $value in
	1) ok "root port $root_port is a TPH completer, for 8-bit tags" ;;
	3) ok "root port $root_port is a completer of TPH and Extended TPH" ;;
	*) problem "root port $root_port above $hca_bdf is no TPH completer: the kernel leaves TPH of $hca_bdf off" \
		"move $hca_bdf to a slot of another root port, or look for a TPH setting of the firmware" ;;
	esac
}

# TPH Requester Control (7.9.13.3), bits 9:8: 00b off, 01b TPH, 11b Extended TPH.
check_hca_tph_enabled()
{
	config "$hca_bdf" ECAP17+8.L || {
		unseen
		return
	}
	case $((value >> 8 & 3)) in
	1) hca_width=8 ;;
	3) hca_width=16 ;;
	*)
		problem "TPH of $hca_bdf is off, though kernel and root port allow it: its firmware does not \
set the capability mkey_pcie_tph" "update the firmware"
		return
		;;
	esac
	ok "TPH of $hca_bdf is on, with $hca_width-bit tags"
}

# Steering Tag and Extended Steering Tag are separate name spaces: neither stands for the other.
check_hca_width()
{
	if [ -z "$hca_width" ]; then
		unknown "$hca sends no tags, or it cannot be seen which" ''
		return
	fi
	limit=
	if [ "$hca_width" -eq 8 ] && [ $((${hca_tph:-0} >> 8 & 1)) -eq 1 ]; then
		limit=", as the root port takes no others"
	fi
	if [ "$hca_width" -eq 16 ] && [ -n "$st" ] && [ -z "$st_ext" ]; then
		problem "the hint is of the other width only: $hca sends 16-bit Extended Steering Tags, it has an 8-bit tag" \
			"give the hint an Extended Steering Tag (--st-ext), too"
	elif [ "$hca_width" -eq 8 ] && [ -n "$st_ext" ] && [ -z "$st" ]; then
		problem "the hint is of the other width only: $hca sends 8-bit Steering Tags$limit, it has an Extended one" \
			"give the hint an 8-bit tag (--st), too"
	else
		ok "$hca sends $hca_width-bit tags$limit"
	fi
}

# Without an ST table the tag itself goes into the memory key, which has 8 bits for it. RDMA core says the same,
# also where config space cannot be read.
check_hca_tag()
{
	largest=${hca_max_tag:-}
	if [ -z "$largest" ]; then
		largest=65535
		[ $((hca_tph >> 9 & 3)) -ne 0 ] || largest=255
	fi
	if [ "$hca_width" -eq 16 ] && [ "${st_ext:-0}" -gt "$largest" ]; then
		problem "$hca has no ST table, and Extended Steering Tag $st_ext does not fit the memory key" \
			"choose a tag up to $largest"
	else
		ok "the memory keys of $hca can express the tag"
	fi
}

# On-demand paging: mlx5 handles MRs of dma-bufs, which may move, by page faults.
check_hca_odp()
{
	trial_says odp || return 0
	case $result in
	ok) ok "$hca has on-demand paging" ;;
	*) problem "$hca has no on-demand paging, which MRs of vfio dma-bufs need" \
		"build the kernel with CONFIG_INFINIBAND_ON_DEMAND_PAGING, enable it in the firmware (mlxconfig)" ;;
	esac
}

# UVERBS_METHOD_QUERY_TPH_CAPS of the kernel series.
check_hca_caps()
{
	trial_says caps || return 0
	case $result in
	ok)
		width=${details%% *}
		if [ "$width" -eq 0 ]; then
			problem "RDMA core says that $hca sends no tags" "look at what the other checks of the HCA say"
		else
			hca_width=$width hca_max_tag=${details##* }
			ok "RDMA core says that $hca sends $width-bit tags, up to $hca_max_tag"
		fi
		;;
	EPROTONOSUPPORT | ENOTTY) problem "RDMA core does not know TPH: no rdma-tph series" \
		"build and boot a kernel with the patches of kernel/" ;;
	*) problem "asking RDMA core for TPH of $hca: $result" '' ;;
	esac
}
