#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: what make C=1 runs; sparse with endian checks, its warnings in a log of their own.
# Debian's sparse does not know an operator that the kernel takes from gcc 14 on, and takes the length of
# a literal, which MODULE_LICENSE() and its like assert, for no constant.
exec sparse -D__CHECK_ENDIAN__ -D__typeof_unqual__=__typeof__ '-D__builtin_strlen(s)=(sizeof(s) - 1)' \
	"$@" 2>>/run/build/sparse.log
