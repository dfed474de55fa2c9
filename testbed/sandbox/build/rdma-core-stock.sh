#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root of testbed/packages/rdma-core: libibverbs and its mlx5 provider without the series, to compare
# with. Arguments: source tree, output directory. They are used from /mnt/tests/stock of the guest.
set -eu
cmake -G Ninja -S "$1" -B "$1/build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX=/mnt/tests/stock \
	-DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_INSTALL_SYSCONFDIR=/mnt/tests/stock/etc \
	-DCMAKE_C_COMPILER_LAUNCHER=ccache -DNO_MAN_PAGES=1 -DNO_PYVERBS=1 -DENABLE_VALGRIND=0
ninja -C "$1/build" ibverbs mlx5
mkdir -p "$2/lib/libibverbs" "$2/etc/libibverbs.d"
cp -a "$1"/build/lib/libibverbs.so* "$1"/build/lib/libmlx5.so* "$2/lib/"
ln -s "../$(basename "$(readlink "$1"/build/lib/libmlx5-rdmav*.so)")" \
	"$2/lib/libibverbs/$(basename "$1"/build/lib/libmlx5-rdmav*.so)"
echo 'driver mlx5' >"$2/etc/libibverbs.d/mlx5.driver"
cp -rL "$1/build/include" "$2/include"
