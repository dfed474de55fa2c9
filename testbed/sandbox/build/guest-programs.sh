#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: build the programs that run in the guest (testbed/guest/CMakeLists.txt). Arguments: output directory, which becomes
# /mnt/tests there; headers of the patched kernel, patched rdma-core, unpatched rdma-core.
set -eu
cmake -G Ninja -S /src -B "$1/build" -DTPH_GUEST=ON -DTPH_GUEST_HEADERS="$2" -DTPH_GUEST_RDMA_CORE="$3" -DTPH_GUEST_STOCK="$4" \
	-DCMAKE_C_COMPILER_LAUNCHER=ccache
ninja -C "$1/build"
cmake --install "$1/build" --prefix "$1"
rm -rf "$1/build"
