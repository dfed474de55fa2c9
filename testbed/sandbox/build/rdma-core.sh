#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root of testbed/packages/rdma-core: build rdma-core and install it, with pyverbs; its python tests
# are in share/rdma-core/tests. Arguments: source tree, output directory.
set -eu
cmake -G Ninja -S "$1" -B "$1/build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX=/usr \
	-DCMAKE_INSTALL_LIBDIR=lib/x86_64-linux-gnu -DCMAKE_INSTALL_SYSCONFDIR=/etc \
	-DCMAKE_INSTALL_PYTHON_ARCH_LIB=/usr/lib/python3/dist-packages \
	-DCMAKE_INSTALL_DOCDIR=share/rdma-core \
	-DCMAKE_C_COMPILER_LAUNCHER=ccache -DNO_MAN_PAGES=1 -DENABLE_VALGRIND=0
ninja -C "$1/build"
DESTDIR=$2 ninja -C "$1/build" install
# CMake leaves it out without an error when Cython is missing.
[ -e "$2/usr/lib/python3/dist-packages/pyverbs/__init__.py" ]
# Their examples are compiled and run.
mkdir "$2/usr/share/rdma-core/man"
cp "$1"/libibverbs/man/ibv_query_*tph*.3.md "$2/usr/share/rdma-core/man/"
