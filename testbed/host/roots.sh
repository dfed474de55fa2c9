# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Roots of their own for tests, which nobody else needs to download.

# in_debian_root NAME COMMAND...: as in_sandbox, in a root with testbed/packages/NAME.
in_debian_root()
{
	cache_lock
	debian_root_entry "$1" "$TPH_TOP/testbed/packages/$1"
	cache_unlock
	shift
	root_sandbox=$SANDBOX_ROOT
	SANDBOX_ROOT=$DEBIAN_ROOT
	root_status=0
	in_sandbox "$@" || root_status=$?
	SANDBOX_ROOT=$root_sandbox
	return "$root_status"
}
