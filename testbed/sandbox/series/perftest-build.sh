#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: build perftest in /run/build/src, and say what its programs know of our options. Arguments:
# libibverbs' headers, a directory of headers that come first (empty for none), directories of libraries.
set -eu
cd /run/build/src
headers=$1
first=$2
shift 2
libraries=
for dir; do
	libraries="$libraries -L$dir -Wl,-rpath,$dir"
done
autoreconf -fi
./configure CC="ccache gcc" CPPFLAGS="${first:+-I$first} -I$headers" LDFLAGS="$libraries"
make -j"$(nproc)"
./ib_write_bw --help >help || :
./ib_write_bw --use_vfio=0000:00:00.0 --vfio_bar=0 --dmabuf-tph=st=1,ph=1 >refused 2>&1 || echo $? >>refused
