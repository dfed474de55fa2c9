#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph refresh [--linux VERSION] kernel|rdma-core|perftest|iproute2 [DIR]: write the commits of the
# tree made by ./tph edit back as the series.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph refresh'
edit_arguments "$@"
dir=$EDIT_DIR
git -C "$dir" rev-parse -q --verify upstream^0 >/dev/null 2>&1 ||
	die "$dir is no tree of ./tph edit"
[ -z "$(git -C "$dir" status --porcelain)" ] || die "$dir has changes that are not committed"
series_refresh "$SOURCE_NAME" "$dir"
