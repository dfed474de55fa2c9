#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tests of gid_index and name_space. Argument: the checkout. Prints a line "pass NAME" for each case, ends with 1 at the first that fails.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=testbed/guest/ethernet.sh
. "$1/testbed/guest/ethernet.sh"

# is EXPECTED ACTUAL WHAT
is()
{
	[ "$1" = "$2" ] || {
		echo "fail $3: expected '$1', got '$2'"
		exit 1
	}
	echo "pass $3"
}

# gid NUMBER GID TYPE
port=$dir/class/infiniband/mlx5_0/ports/1
mkdir -p "$port/gids" "$port/gid_attrs/types"
gid()
{
	echo "$2" >"$port/gids/$1"
	echo "$3" >"$port/gid_attrs/types/$1"
}
gid_sys=$dir
gid 0 fe80:0000:0000:0000:0074:00ff:fe68:0004 'RoCE v2'
gid 1 0000:0000:0000:0000:0000:ffff:0a08:0011 'RoCE v2'
gid 2 0000:0000:0000:0000:0000:ffff:0a08:0001 'IB/RoCE v1'
gid 3 0000:0000:0000:0000:0000:ffff:0a08:0001 'RoCE v2'
is 3 "$(gid_index mlx5_0 1)" 'the GID of version 2'
is 1 "$(gid_index mlx5_0 17)" 'the address as a whole'
status=0
said=$(gid_index mlx5_0 2) || status=$?
is '1 ' "$status $said" 'no GID of that address'
gid 3 0000:0000:0000:0000:0000:0000:0000:0000 'RoCE v2'
status=0
said=$(gid_index mlx5_0 1) || status=$?
is '1 ' "$status $said" 'none of version 2'

name_spaces=$dir/name-spaces machines=$dir/machines
space_in=x
name_space hca0
is '|||' "$space_in|$space_address|$space_gid|$space_options" 'without name spaces'
printf '%s\n' 'hca0 mlx5_0 10.8.0.1 3' 'hca1 mlx5_1 10.8.0.2 5' >"$name_spaces"
name_space hca1
is 'ip netns exec hca1|10.8.0.2|5|-x 5' "$space_in|$space_address|$space_gid|$space_options" 'of a function'
name_space mlx5_0
is 'ip netns exec hca0|10.8.0.1|-x 3' "$space_in|$space_address|$space_options" 'of an RDMA device'
mkdir -p "$machines/right"
echo 'right rxe0 10.8.0.101 1' >>"$name_spaces"
is '' "$space_machine" 'no machine'
name_space right
is 'on right|10.8.0.101|-x 1|right|rxe0' "$space_in|$space_address|$space_options|$space_machine|$space_device" 'of another machine'
status=0
name_space hca 2>"$dir/err" || status=$?
is '1 name_space hca: no function has that name: hca0 hca1 right' "$status $(sed 's/ $//' "$dir/err")" 'a name that nobody has'
is '||||' "$space_in|$space_address|$space_gid|$space_options|$space_machine" 'nothing is left of the one before'
echo 'left mlx5_2 10.8.0.3 -' >>"$name_spaces"
name_space left
is 'ip netns exec left|10.8.0.3|||mlx5_2' "$space_in|$space_address|$space_gid|$space_options|$space_device" 'of a function with an InfiniBand port'
