#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the sandbox: build the guest kernel. Arguments: source tree, output directory.
set -eu
cd "$1"
build=$1.o
mkdir -p "$build"
export KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=tph KBUILD_BUILD_HOST=tph
make -s O="$build" allnoconfig
./scripts/kconfig/merge_config.sh -m -O "$build" "$build/.config" /src/kernel/7.3/guest.config
make -s O="$build" olddefconfig
# A symbol that did not make it would show up as a puzzle in the guest.
missing=$(grep '^CONFIG_' /src/kernel/7.3/guest.config | grep -vxF -f "$build/.config" || :)
[ -z "$missing" ] || {
	echo "not taken by the configuration: $missing"
	exit 1
}
make -j"$(nproc)" O="$build" CC="ccache gcc" bzImage
cp "$build/arch/x86/boot/bzImage" "$build/.config" "$2/"
make -s O="$build" kernelrelease >"$2/release"
rm -rf "$build"
