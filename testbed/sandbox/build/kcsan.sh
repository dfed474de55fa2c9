#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: have KCSAN look at the code that the series changes only, in the source tree $1, when
# make has KCSAN_SANITIZE=n in its environment. The core kernel has data races that its authors know
# of, more than a list of them would hold.
set -eu
for dir in drivers/dma-buf drivers/infiniband/core drivers/infiniband/hw/mlx5 \
	drivers/net/ethernet/mellanox/mlx5/core drivers/pci drivers/vfio drivers/vfio/pci; do
	# A new file, because the one there may be shared with another tree.
	{
		echo 'KCSAN_SANITIZE := y'
		cat "$1/$dir/Makefile"
	} >"$1/$dir/Makefile.new"
	mv "$1/$dir/Makefile.new" "$1/$dir/Makefile"
done
