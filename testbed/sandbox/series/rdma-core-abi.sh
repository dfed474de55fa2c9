#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root of testbed/packages/rdma-core: what the series changes in the ABI of libibverbs and libmlx5.
# Arguments: unpatched and patched rdma-core. Prints the lines that should not be there, and returns 1 if
# there are any.
set -eu
# Longer at its end: an application says by comp_mask that it has the new member.
cat >/tmp/suppress <<'EOF'
[suppress_type]
name = ibv_mr_init_attr
has_data_member_inserted_at = end
has_size_change = yes
EOF
cat >/tmp/expected <<'EOF'
Functions changes summary: 0 Removed, 0 Changed, 2 Added functions
Variables changes summary: 0 Removed, 0 Changed, 0 Added variable
2 Added functions:
[A] 'function int _ibv_query_mr_tph(ibv_mr*, ibv_mr_tph_attr*, size_t)'    {_ibv_query_mr_tph@@IBVERBS_1.19}
[A] 'function int _ibv_query_tph_caps(ibv_context*, ibv_tph_caps*, size_t)'    {_ibv_query_tph_caps@@IBVERBS_1.19}
EOF
for library in libibverbs.so.1 libmlx5.so.1; do
	status=0
	abidiff --suppressions /tmp/suppress "$1/lib/$library" "$2/usr/lib/x86_64-linux-gnu/$library" \
		>"/tmp/$library" || status=$?
	# Bits: 1 and 2 it failed, 4 there is a change, 8 it breaks programs.
	[ $((status & ~4)) -eq 0 ] || {
		cat "/tmp/$library"
		echo "abidiff of $library: status $status"
		exit 1
	}
done
[ ! -s /tmp/libmlx5.so.1 ] || {
	cat /tmp/libmlx5.so.1
	exit 1
}
sed 's/ ([0-9]* filtered out)//; s/^ *//; /^$/d' /tmp/libibverbs.so.1 | diff /tmp/expected -
