#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: what a boot and the test programs need of a kernel that was built. Arguments: source
# tree (written to), object tree, destination, variant. Leaves bzImage, .config, release, variant,
# headers/ for user programs, and selftests/ if the series has some.
set -eu
cp "$2/arch/x86/boot/bzImage" "$2/.config" "$3/"
make -s -C "$1" O="$2" kernelrelease >"$3/release"
echo "$4" >"$3/variant"
make -s -C "$1" O="$2" headers_install INSTALL_HDR_PATH="$3/headers"
[ -f "$1/tools/testing/selftests/vfio/vfio_dma_buf_tph_test.c" ] || exit 0
# The symbols that the module of the selftests needs; there are no other modules.
make -s -j"$(nproc)" -C "$1" O="$2" CC="sh /src/testbed/sandbox/build/kernel-cc.sh" modules
make -s -C "$1" O="$2" headers
make -s -C "$1/tools/testing/selftests" O="$2" CC="sh /src/testbed/sandbox/build/kernel-cc.sh" KDIR="$2" TARGETS=vfio \
	SKIP_TARGETS= FORCE_TARGETS=1 INSTALL_PATH="$3/selftests" install
