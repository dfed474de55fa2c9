#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root, in an empty directory: the source tree of this project, with debian/, becomes source/.
set -eu
mkdir source
(cd /src && find . -path ./.git -prune -o -path ./build -prune -o -type f -print0 |
	tar -c --null --no-recursion -T -) | tar -x -C source
cp -a source/packaging/rdma-tph/debian source/debian
