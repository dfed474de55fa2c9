#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: build the rdma tool of iproute2. Arguments: source tree, output directory.
set -eu
cd "$1"
./configure
make -j"$(nproc)" CC="ccache gcc" SUBDIRS='lib rdma'
# Where Debian has it, so that it takes the place of the stock one.
install -D rdma/rdma "$2/usr/bin/rdma"
