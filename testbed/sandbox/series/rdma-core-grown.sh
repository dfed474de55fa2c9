#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A source tree of rdma-core with its series, and a compiler: is what libibverbs says of TPH safe for programs whose
# structures are smaller or larger than its own? Arguments: source tree, empty directory, grown.c.
set -eu
source=$1 include=$2/include program=$2/grown
mkdir -p "$include/infiniband" "$include/util" "$include/ccan" "$include/kernel-abi"
# The headers as the build lays them out.
ln -s "$source"/libibverbs/*.h "$source"/kernel-headers/rdma/*.h "$include/infiniband/"
ln -s "$source"/util/*.h "$include/util/"
ln -s "$source"/ccan/*.h "$include/ccan/"
ln -s "$source/kernel-headers/rdma" "$include/rdma"
for header in "$source"/kernel-headers/rdma/*.h; do
	python3 "$source/buildlib/make_abi_structs.py" "$header" "$include/kernel-abi/$(basename "$header")" 2>/dev/null || :
done
: >"$include/config.h"
# The library of a later version: both structures have a further member, which is filled.
grow()
{
	awk -v name="struct $1 {" '{ if ($0 == name) mine = 1; if (mine && /^};/) { print "\tuint32_t later;"; mine = 0 } print }'
}
rm "$include/infiniband/verbs.h"
grow ibv_mr_tph_attr <"$source/libibverbs/verbs.h" | grow ibv_tph_caps >"$include/infiniband/verbs.h"
[ "$(grep -c 'uint32_t later;' "$include/infiniband/verbs.h")" -eq 2 ]
sed 's/^\tcopy_answer(/\tanswer.later = 1;\n&/' "$source/libibverbs/cmd_tph.c" >"$2/cmd_tph.c"
[ "$(grep -c 'answer.later = 1;' "$2/cmd_tph.c")" -eq 2 ]
gcc -std=gnu17 -g -D_GNU_SOURCE -DHAVE_STATEMENT_EXPR=1 -DHAVE_TYPEOF=1 -DHAVE_BUILTIN_TYPES_COMPATIBLE_P=1 \
	-fsanitize=address,undefined -fno-sanitize-recover=all -I"$include" -o "$program" "$2/cmd_tph.c" "$3"
"$program"
