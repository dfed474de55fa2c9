#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: build in object tree /run/build/$1 for architecture $2 all that the configuration
# has of the directories that the series touches; with $3 = modules the modules, which says whether
# they have all symbols.
set -eu
export KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=tph KBUILD_BUILD_HOST=tph
cd /run/build/src
set -- "$3" -s -k -j"$(nproc)" O="/run/build/$1" ARCH="$2" CC="ccache gcc"
what=$1
shift
if [ "$what" = modules ]; then
	exec make "$@" vmlinux modules
fi
make "$@" prepare
exec make "$@" drivers/pci/ drivers/dma-buf/ drivers/vfio/ drivers/infiniband/ \
	drivers/net/ethernet/mellanox/mlx5/core/
