#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the sandbox: build rdma-core and install it. Arguments: source tree, output directory.
set -eu
cmake -G Ninja -S "$1" -B "$1/build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX=/usr \
	-DCMAKE_INSTALL_LIBDIR=lib/x86_64-linux-gnu -DCMAKE_INSTALL_SYSCONFDIR=/etc \
	-DCMAKE_C_COMPILER_LAUNCHER=ccache -DNO_MAN_PAGES=1 -DNO_PYVERBS=1 -DENABLE_VALGRIND=0
ninja -C "$1/build"
DESTDIR=$2 ninja -C "$1/build" install
