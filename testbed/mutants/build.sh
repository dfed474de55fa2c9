#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: build variant $1 of the kernel of /run/build/src in /run/build/o.$1. With $2 = first
# it is configured, and /run/build/kernel.$1 becomes all that a boot and its tests need; without, only
# the image there is replaced.
set -eu
export KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=tph KBUILD_BUILD_HOST=tph
object=o.$1
kernel=/run/build/kernel.$1
[ -z "${2:-}" ] || {
	fragment=/dev/null
	[ "$1" = plain ] || fragment=/src/kernel/configs/$1.config
	sh -eu /src/testbed/sandbox/series/configure.sh "$object" <"$fragment"
}
[ "$1" != kcsan ] || {
	[ -z "${2:-}" ] || sh -eu /src/testbed/sandbox/build/kcsan.sh /run/build/src
	export KCSAN_SANITIZE=n
}
cd /run/build/src
make -s -j"$(nproc)" O="/run/build/$object" CC="sh /src/testbed/sandbox/build/kernel-cc.sh" bzImage
[ -z "${2:-}" ] || {
	rm -rf "$kernel"
	mkdir "$kernel"
	sh -eu /src/testbed/sandbox/build/kernel-install.sh /run/build/src "/run/build/$object" "$kernel" "$1"
}
cp "/run/build/$object/arch/x86/boot/bzImage" "$kernel/"
