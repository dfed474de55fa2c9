#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: build the C programs of this project; the guest runs doctor
# from the checkout. Argument: output directory.
set -eu
cmake -G Ninja -S /src -B "$1/build" -DTPH_SANITIZE=OFF -DBUILD_TESTING=OFF -DTPH_DOCTOR=OFF \
	-DTPH_WHOLE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER_LAUNCHER=ccache
ninja -C "$1/build"
cmake --install "$1/build" --prefix "$1"
rm -rf "$1/build"
