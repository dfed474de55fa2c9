# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Checks of the way from the HCA to the endpoint, and of the registration that all of it is for.
# shellcheck disable=SC2154 # variables of tph-doctor, and results that functions set

# look_at_path: sets $common to the last bridge above both, if any, and $between to all functions from one to
# the other below that bridge, both ends included.
look_at_path()
{
	hca_chain=$(chain "$hca_bdf") endpoint_chain=$(chain "$bdf") common=
	for above in $hca_chain; do
		case " $endpoint_chain " in
		*" $above "*) common=$above ;;
		esac
	done
	if [ -n "$common" ]; then
		hca_chain=${hca_chain##*"$common"} endpoint_chain=${endpoint_chain##*"$common"}
	fi
	between="$hca_chain $endpoint_chain"
}

# ACS Control, extended capability 0Dh, offset 6 (7.7.11.3): bit 2 P2P Request Redirect, bit 3 P2P Completion
# Redirect, bit 5 P2P Egress Control. On any function of the path they send requests by the root complex.
check_acs_redirect()
{
	if [ -z "$common" ]; then
		ok "no switch is above both $hca_bdf and $bdf, so that nothing is redirected from it"
		return
	fi
	redirecting=
	for function in $between; do
		config "$function" ECAPd+6.W && found=0 || found=$?
		if [ "$found" -eq 2 ]; then
			unseen
			return
		fi
		[ "$found" -ne 0 ] || [ $((value & 0x2c)) -eq 0 ] || redirecting="$redirecting${redirecting:+;}$function"
	done
	if [ -n "$redirecting" ]; then
		problem "ACS redirect is on in $redirecting: requests from $hca_bdf to $bdf go up to the root complex, \
which may drop them or read their tags as its own" "boot with pci=disable_acs_redir=$redirecting"
	else
		ok "no ACS redirect from $hca_bdf to $bdf below $common"
	fi
}

# The kernel lets peers reach each other below a common bridge, on AMD from Zen on, and by host bridges that it
# knows; mapping a dma-buf otherwise is EINVAL.
check_p2p_path()
{
	way="by way of the root complex"
	[ -z "$common" ] || way="below $common"
	if trial_result plain && [ "$result" = EINVAL ]; then
		problem "the kernel knows no peer-to-peer path from $hca_bdf to $bdf: they meet $way" \
			"put both below one switch, or use a machine whose host bridge the kernel allows"
	elif trial_result plain && [ "$result" = ok ]; then
		ok "the kernel lets $hca_bdf reach $bdf, $way"
	elif [ -n "$common" ]; then
		ok "$hca_bdf and $bdf meet $way"
	else
		unknown "$hca_bdf and $bdf meet in the root complex; whether it lets them is told by a registration" \
			"mend what keeps that from being tried"
	fi
}

# End-End TLP Prefix Supported, bit 21 of Device Capabilities 2 (7.5.3.15): outside Flit Mode the upper byte of an
# Extended Steering Tag is in a prefix (2.2.7.1.1), which a receiver without support takes for an error.
check_prefix_path()
{
	if [ "${hca_width:-8}" -ne 16 ]; then
		ok "8-bit tags need no TLP prefix"
		return
	fi
	without=
	for function in $common $between; do
		devcap2 "$function" && found=0 || found=$?
		if [ "$found" -eq 2 ]; then
			unseen
			return
		fi
		[ "$found" -eq 0 ] && [ $((value >> 21 & 1)) -eq 1 ] || without="$without $function"
	done
	if [ -n "$without" ]; then
		problem "no End-End TLP prefixes, in which Extended Steering Tags travel, in:$without" \
			"use 8-bit tags, or another slot"
	else
		ok "Extended Steering Tags can travel from $hca_bdf to $bdf"
	fi
}

check_registration()
{
	trial_says plain || return 0
	case $result in
	ok) ok "$hca registers the dma-buf" ;;
	EINVAL) problem "$hca cannot register the dma-buf (EINVAL)" "see p2p-path" ;;
	EOPNOTSUPP) problem "$hca cannot register dma-bufs of vfio (EOPNOTSUPP)" "see hca-driver and hca-odp" ;;
	ENODEV) problem "the dma-buf is revoked (ENODEV)" "see endpoint-memory" ;;
	*) problem "$hca cannot register the dma-buf: $result" '' ;;
	esac
}

# The errors of IB_UVERBS_MR_TPH_REQUIRE, as the kernel series documents them. The reason with which
# IB_UVERBS_MR_TPH_AUTO goes without the hint, 1 (IB_UVERBS_MR_TPH_REASON_WIDTH), says more than ENODATA.
check_registration_hint()
{
	trial_says require || return 0
	refused=$result reason=
	! trial_result auto || [ "$result" != ok ] || reason=$details
	case $refused,$reason in
	ok,*) ok "$hca registers the dma-buf with the hint $hint" ;;
	ENODATA,1) problem "the dma-buf has a hint of the other width only, $hint: $hca does not send it (ENODATA)" \
		"see hca-width" ;;
	ENODATA,*) problem "the dma-buf has no hint for $hca (ENODATA)" "see hca-width" ;;
	EOPNOTSUPP,*) problem "$hca uses no hints of dma-bufs (EOPNOTSUPP)" "see hca-tph-enabled" ;;
	ERANGE,*) problem "the memory keys of $hca cannot express the tag of $hint (ERANGE)" "see hca-tag" ;;
	ENOSPC,*) problem "the steering tag table of $hca is full (ENOSPC)" \
		"deregister memory with other tags; 'rdma resource show mr' of the patched iproute2 lists it" ;;
	EINVAL,* | EFAULT,*) problem "the firmware of $hca refuses memory keys with TPH ($refused)" \
		"update the firmware; without a hint $hca registers the dma-buf" ;;
	ESTALE,*) problem "the hint $hint was changed while the dma-buf was registered (ESTALE)" "try again" ;;
	EPROTONOSUPPORT,*) problem "RDMA core knows no policy for hints: no rdma-tph series" \
		"build and boot a kernel with the patches of kernel/" ;;
	*) problem "registering the dma-buf with the hint $hint: $refused" '' ;;
	esac
}
