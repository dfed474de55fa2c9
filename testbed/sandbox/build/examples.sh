#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: compile the examples of the man pages as their readers do, and that of docs/application.md.
# Arguments: output directory, installed rdma-core.
set -eu
mkdir -p "$1"

# example FILE: the C program in a page of Markdown.
example()
{
	awk '/^# EXAMPLE/ { mine = 1 } /^```/ { if (code) exit; code = mine && /^```c$/; next } code' "$1"
}

# readme: the function in docs/application.md, and a program around it.
readme()
{
	awk '/^#/ { mine = /application programmers/ } mine && /^    / { code = 1 } code && /^[^ ]/ { exit }
		code { sub(/^    /, ""); print }' /src/docs/application.md
	cat /src/providers/tests/example/main.c
}

# build NAME ARG...: compile NAME.c in the output directory.
build()
{
	program=$out/$1
	shift
	gcc -std=gnu17 -O2 -Wall -Wextra -Werror -isystem "$installed/usr/include" -o "$program" "$program.c" "$@" \
		-L"$installed/usr/lib/x86_64-linux-gnu" -Wl,-rpath-link,"$installed/usr/lib/x86_64-linux-gnu" -libverbs
}
out=$1 installed=$2
for page in "$installed"/usr/share/rdma-core/man/*.3.md; do
	name=$(basename "$page" .3.md)
	example "$page" >"$out/$name.c"
	build "$name"
done
readme >"$out/readme.c"
build readme -D_GNU_SOURCE -I/src/vfiobar /src/vfiobar/vfiobar*.c
