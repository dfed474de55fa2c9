# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by tests that look at the tree with programs of a root of their own.
. "$TPH_TOP/testbed/test/host-lib.sh"

tools_root()
{
	package_root_entry tools bookworm "$TPH_TOP/testbed/packages/tools" 2>&4
}

# tools_built: in a shell of its own. Whatever builds begins with that.
# shellcheck disable=SC2317 # called by what is built
tools_built()
{
	cache_tmp()
	{
		exit 1
	}
	tools_root
}

# in_tools COMMAND...: as in_sandbox, with the packages of testbed/packages/tools.
in_tools()
{
	cache_open
	if (tools_built); then
		tools_root
	else
		cache_lock
		tools_root
		cache_unlock
	fi
	package_in_root "$@"
}
