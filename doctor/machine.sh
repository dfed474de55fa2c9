# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Checks of the machine: kernel, boot options, libibverbs, limits.
# shellcheck disable=SC2154 # variables of tph-doctor, and results that functions set

# Documentation/admin-guide/kernel-parameters.txt: pci=OPTION[,OPTION...], notph.
check_boot_option()
{
	if tr ' ' '\n' </proc/cmdline | sed -n 's/^pci=//p' | tr , '\n' | grep -qx notph; then
		problem "the kernel was booted with pci=notph, which turns TPH off for all devices" \
			"boot without notph"
	else
		ok "no boot option turns TPH off"
	fi
}

# in_kernel SYMBOL: is it in the kernel or a loaded module? 2 when that cannot be seen.
in_kernel()
{
	if ! [ -s "$DOCTOR_WORK/kallsyms" ]; then
		awk '{ print $3 }' /proc/kallsyms >"$DOCTOR_WORK/kallsyms" 2>/dev/null || :
	fi
	if ! [ -s "$DOCTOR_WORK/kallsyms" ]; then
		why="the kernel has no list of its symbols" mend="look whether its configuration has what $1 is in"
		return 2
	fi
	grep -qx "$1" "$DOCTOR_WORK/kallsyms"
}

check_kernel_tph()
{
	in_kernel pcie_enable_tph && found=0 || found=$?
	case $found in
	0) ok "Linux $release has PCIe TPH" ;;
	1) problem "Linux $release is built without CONFIG_PCIE_TPH" "build the kernel with CONFIG_PCIE_TPH=y" ;;
	*) unseen ;;
	esac
}

check_kernel_series()
{
	in_kernel dma_buf_get_tph && found=0 || found=$?
	case $found in
	0) ok "Linux $release has the rdma-tph series" ;;
	1) problem "Linux $release has no rdma-tph series: dma-bufs carry no hints" \
		"build and boot a kernel with the patches of kernel/" ;;
	*) unseen ;;
	esac
}

# What libibverbs offers, by the version of the symbol that its series adds.
check_library()
{
	trial_says library || return 0
	case $result in
	ok) ok "$details has the verbs for hints" ;;
	*) problem "$details is older than the rdma-core series: no policy, no read-back, no capability" \
		"install rdma-core with the patches of providers/; without them a program gets what AUTO gives" ;;
	esac
}

# The errno of a registration of host memory; RLIMIT_MEMLOCK does not bind those with CAP_IPC_LOCK.
check_memlock()
{
	# shellcheck disable=SC3045 # dash and bash have it, and it is asked for no more than its number
	limit=$(ulimit -l 2>/dev/null) || limit=unknown
	trial_says host || return 0
	host_length=$details
	case $result in
	ok) ok "$host_length bytes of host memory can be registered (memlock limit: $limit)" ;;
	ENOMEM)
		if [ "$limit" = unlimited ]; then
			problem "registering $host_length bytes of host memory: ENOMEM" "free some memory"
		else
			problem "registering $host_length bytes of host memory: ENOMEM, the memlock limit is $limit KiB" \
				"ulimit -l unlimited; for good in /etc/security/limits.d or LimitMEMLOCK= of the service"
		fi
		;;
	*) problem "registering $host_length bytes of host memory: $result" '' ;;
	esac
}
