#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: take the C programs out of the manual pages of the series and of docs/application.md. Arguments: checkout, root
# directory of rdma-core with the series, output directory.
set -eu
mkdir -p "$3"

# example FILE: the C program in a page of Markdown.
example()
{
	awk '/^# EXAMPLE/ { mine = 1 } /^```/ { if (code) exit; code = mine && /^```c$/; next } code' "$1"
}

for page in "$2"/usr/share/rdma-core/man/*.3.md; do
	example "$page" >"$3/$(basename "$page" .3.md).c"
done
# The function in docs/application.md, and a program around it.
{
	awk '/^#/ { mine = /application programmers/ } mine && /^    / { code = 1 } code && /^[^ ]/ { exit }
		code { sub(/^    /, ""); print }' "$1/docs/application.md"
	cat "$1/providers/tests/example/main.c"
} >"$3/readme.c"
