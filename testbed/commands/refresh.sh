#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# ./tph refresh kernel|rdma-core|perftest [DIR]: write the commits of the tree made by ./tph edit
# back as the series.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph refresh'
source_name "${1:-}"
[ $# -le 2 ] || usage_error "too many arguments"
dir=${2:-$TPH_CACHE/edit/$1}
git -C "$dir" rev-parse -q --verify upstream^0 >/dev/null 2>&1 ||
	die "$dir is no tree of ./tph edit $1"
[ -z "$(git -C "$dir" status --porcelain)" ] || die "$dir has changes that are not committed"
new=$(mktemp -d)
on_exit "rm -rf '$new'"
git -C "$dir" format-patch -q -N --zero-commit --no-signature -o "$new" upstream..HEAD
series=$(series_dir "$SOURCE_NAME")
rm -f "$series"/[0-9]*.patch
cp "$new"/*.patch "$series/" 2>/dev/null || :
say "$series: $(find "$new" -name '*.patch' | wc -l) patches"
