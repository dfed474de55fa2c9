#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: build the guest kernel. Arguments: source tree, output directory, variant, and the set
# if it is not the whole series. The configuration is allnoconfig, kernel/configs/guest.config and
# kernel/configs/VARIANT.config.
set -eu
cd "$1"
build=$1.o
mkdir -p "$build"
fragments=/src/kernel/configs/guest.config
[ "$3" = plain ] || fragments="$fragments /src/kernel/configs/$3.config"
export KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=tph KBUILD_BUILD_HOST=tph
make -s O="$build" allnoconfig
# shellcheck disable=SC2086 # a list of files
./scripts/kconfig/merge_config.sh -m -O "$build" "$build/.config" $fragments
make -s O="$build" olddefconfig
# A symbol that did not make it would show up as a puzzle in the guest.
# shellcheck disable=SC2086
missing=$(cat $fragments | grep -E '^(# )?CONFIG_' | grep -vxF -f "$build/.config" || :)
# Symbols that the tree does not have at all come with later sets.
[ -z "${4:-}" ] || missing=$(echo "$missing" | while read -r line; do
	symbol=$(echo "$line" | sed -E 's/^(# )?CONFIG_([A-Z0-9_]+).*/\2/')
	! grep -rqxE "(menu)?config $symbol" --include='Kconfig*' . || echo "$line"
done)
[ -z "$missing" ] || {
	echo "not taken by the configuration: $missing"
	exit 1
}
[ "$3" != kcsan ] || {
	sh -eu /src/testbed/sandbox/build/kcsan.sh "$1"
	export KCSAN_SANITIZE=n
}
make -j"$(nproc)" O="$build" CC="sh /src/testbed/sandbox/build/kernel-cc.sh" bzImage
sh -eu /src/testbed/sandbox/build/kernel-install.sh "$1" "$build" "$2" "$3"
rm -rf "$build"
