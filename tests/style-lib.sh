# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by tests that look at the tree with programs of a root of their own.
. "$TPH_TOP/tests/host-lib.sh"

# in_tools COMMAND...: as in_sandbox, with the packages of testbed/packages.tools.
in_tools()
{
	cache_lock
	package_root_entry tools bookworm "$TPH_TOP/testbed/packages.tools" 2>&4
	cache_unlock
	package_in_root "$@"
}
