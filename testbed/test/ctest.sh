#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: what a developer does by hand, cmake and ctest.
set -eu
cmake -G Ninja -S /src -B /tmp/build -DCMAKE_C_COMPILER_LAUNCHER=ccache
ninja -C /tmp/build
ctest --test-dir /tmp/build -j2 --output-on-failure
