# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A browser for tests. It has a root of its own, which nobody else needs to download.

# in_browser_root COMMAND...: as in_sandbox, with the browser.
in_browser_root()
{
	cache_lock
	debian_root_entry browser "$TPH_TOP/testbed/packages.browser"
	cache_unlock
	browser_sandbox=$SANDBOX_ROOT
	SANDBOX_ROOT=$DEBIAN_ROOT
	browser_status=0
	in_sandbox "$@" || browser_status=$?
	SANDBOX_ROOT=$browser_sandbox
	return "$browser_status"
}
