#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox, the compiler of kernels that boot: gcc by way of ccache, but for what takes in other files by .incbin,
# as the image does with the kernel inside it. In ccache's depend mode they do not count, so that it would give back
# what it had of another kernel that is as long.
for source; do :; done
case $source in
*.S) export CCACHE_DISABLE=1 ;;
*.c) ! grep -qs '\.incbin' "$source" || export CCACHE_DISABLE=1 ;;
esac
exec ccache gcc "$@"
