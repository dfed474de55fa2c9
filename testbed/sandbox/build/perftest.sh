#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: build perftest. Arguments: source tree, output directory, installed rdma-core.
set -eu
cd "$1"
autoreconf -fi
./configure --prefix=/usr CC="ccache gcc" CPPFLAGS="-I$3/usr/include" \
	LDFLAGS="-L$3/usr/lib/x86_64-linux-gnu -Wl,-rpath-link,$3/usr/lib/x86_64-linux-gnu"
make -j"$(nproc)"
make install DESTDIR="$2"
