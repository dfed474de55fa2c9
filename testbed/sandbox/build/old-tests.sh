#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: what the tests of old and new libraries, kernels and programs need. Arguments: output
# directory, the patched kernel's headers, unpatched rdma-core, archive of what the tests share.
set -eu
# Plays an older kernel to the program that it is preloaded to.
gcc -std=gnu17 -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -shared -fPIC -isystem "$2" \
	-o "$1/old_kernel.so" /src/providers/tests/old/old_kernel.c
gcc -std=gnu17 -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -pthread -I/src -I/src/kernel/tests -isystem "$2" \
	-isystem "$3/include" -o "$1/verbs_old_program" /src/providers/tests/old/verbs_old_program.c "$4" \
	-L"$3/lib" -Wl,-rpath-link,"$3/lib" -Wl,--as-needed -libverbs
cp -a "$3" "$1/stock"
