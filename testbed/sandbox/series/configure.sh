#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: configure object tree /run/build/$1 as the guest's kernel, plus the fragment on
# stdin. Further arguments go to make. Lines of the fragment that do not take are an error.
set -eu
object=/run/build/$1
shift
cd /run/build/src
mkdir -p "$object"
cat >"$object/extra.fragment"
cat /src/kernel/configs/guest.config "$object/extra.fragment" >"$object/want.fragment"
# The same fragments on another step of the series may have other symbols.
make -s O="$object" "$@" allnoconfig
./scripts/kconfig/merge_config.sh -m -O "$object" "$object/.config" "$object/want.fragment" \
	>"$object/merge.log"
make -s O="$object" "$@" olddefconfig
while read -r line; do
	case $line in
	*=n) ! grep -q "^${line%n}" "$object/.config" ;;
	CONFIG_*) grep -qxF "$line" "$object/.config" ;;
	esac || {
		echo "not taken by the configuration: $line"
		exit 1
	}
done <"$object/extra.fragment"
