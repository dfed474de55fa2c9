#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: link the kernel of object tree /run/build/$1.
set -eu
export KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=tph KBUILD_BUILD_HOST=tph
cd /run/build/src
exec make -s -j"$(nproc)" O="/run/build/$1" CC="sh /src/testbed/sandbox/build/kernel-cc.sh" bzImage
