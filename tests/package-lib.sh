# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by the tests of the packages.
. "$TPH_TOP/tests/host-lib.sh"

# try_packages RELEASE: the packages for it, in a root of it; each step there is a case.
try_packages()
{
	mkdir repo
	"$TPH_TOP/tph" package --release "$1" --output repo rdma-core perftest rdma-tph 2>&4
	cache_lock
	package_root_entry "try-$1" "$1" "$TPH_TOP/tests/package/stock"
	cache_unlock
	cp -a "$PACKAGE_ROOT" root
	bwrap --bind root / --ro-bind repo /repo --ro-bind "$TPH_TOP/tests/package" /src --dev /dev --proc /proc \
		--tmpfs /tmp --tmpfs /run --unshare-pid --unshare-net --unshare-ipc --unshare-uts \
		--die-with-parent --clearenv --setenv PATH /usr/sbin:/usr/bin:/sbin:/bin --setenv HOME /root \
		sh /src/try.sh
	tr ' ' '-' <root/cases | sed 's/-/ /' >"$TPH_CASES"
	! grep -q '^fail' root/cases
}
