#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the kernel's tree: its own Debian packages, of the architecture's default configuration and
# packaging/kernel/config.
set -eu
make -s defconfig
./scripts/kconfig/merge_config.sh -m .config /src/packaging/kernel/config
make -s olddefconfig
missing=$(grep -E '^(# )?CONFIG_' /src/packaging/kernel/config | grep -vxF -f .config || :)
[ -z "$missing" ] || {
	echo "not taken by the configuration: $missing"
	exit 1
}
DEBFULLNAME='rdma-tph developers' DEBEMAIL=rdma-tph@example.org
export DEBFULLNAME DEBEMAIL
make -j"$(nproc)" CC="sh /src/testbed/sandbox/build/kernel-cc.sh" bindeb-pkg \
	KDEB_PKGVERSION="$(make -s kernelversion)-1+tph1" LOCALVERSION=-tph1 KDEB_CHANGELOG_DIST=unstable
# It would replace the one of the distribution; rdma-core and perftest do not need it.
for changes in ../*.changes; do
	sed -i '/linux-libc-dev_/d; s/ linux-libc-dev\b//' "$changes"
done
rm -f ../linux-libc-dev_*
