#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root of testbed/packages/rdma-core: build /run/build/src, again after a change. Arguments: options for
# CMake.
set -eu
[ -d /run/build/src/build ] ||
	cmake -G Ninja -S /run/build/src -B /run/build/src/build -DCMAKE_BUILD_TYPE=RelWithDebInfo \
		-DCMAKE_C_COMPILER_LAUNCHER=ccache -DENABLE_VALGRIND=0 "$@"
ninja -C /run/build/src/build
