#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: the uapi headers named as arguments, as user space gets them from object tree
# /run/build/$1: each compiles on its own, as C90 and for 32 and 64 bits, and what the series adds has
# one layout.
set -eu
object=$1
shift
cd /run/build/src
make -s O="/run/build/$object" headers_install INSTALL_HDR_PATH=/run/build/headers
for bits in 32 64; do
	for header; do
		echo "#include <${header#include/uapi/}>" |
			gcc -m$bits -std=c90 -Wall -Wextra -Werror -nostdinc -I/run/build/headers/include \
				-fsyntax-only -x c -
	done
	gcc -m$bits -std=c11 -Wall -Wextra -Werror -nostdinc -I/run/build/headers/include \
		-fsyntax-only /src/kernel/tests/uapi_layout.c
done
