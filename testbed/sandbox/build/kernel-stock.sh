#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: build the guest kernel without the series, to compare with. Arguments: source tree, output
# directory. Its configuration is that of the patched one without the KUnit suites, most of which
# come with the series.
set -eu
cd "$1"
build=$1.o
mkdir -p "$build"
fragment=$build/guest.fragment
sed '/_KUNIT_TEST=y$/d' /src/kernel/configs/guest.config >"$fragment"
export KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=tph KBUILD_BUILD_HOST=tph
make -s O="$build" allnoconfig
./scripts/kconfig/merge_config.sh -m -O "$build" "$build/.config" "$fragment"
make -s O="$build" olddefconfig
missing=$(grep -E '^(# )?CONFIG_' "$fragment" | grep -vxF -f "$build/.config" || :)
[ -z "$missing" ] || {
	echo "not taken by the configuration: $missing"
	exit 1
}
make -j"$(nproc)" O="$build" CC="sh /src/testbed/sandbox/build/kernel-cc.sh" bzImage
sh -eu /src/testbed/sandbox/build/kernel-install.sh "$1" "$build" "$2" stock
rm -rf "$build"
