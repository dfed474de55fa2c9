#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph edit [--linux VERSION] kernel|rdma-core|perftest|iproute2 [DIR]: the pinned upstream source as
# a git tree on branch rdma-tph, with the series applied as commits on top of the tag 'upstream'.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph edit'
edit_arguments "$@"
dir=$EDIT_DIR
[ ! -e "$dir" ] || die "$dir exists; edit there, or remove it first"
command -v git >/dev/null || die "needs git: apt-get install git"
cache_lock
source_pristine "$SOURCE_NAME"
mkdir -p "$(dirname "$dir")"
# Half a tree would look like a whole one: it gets its name when it is complete.
work=$(mktemp -d "$(dirname "$dir")/.edit.XXXXXX")
on_exit "rm -rf '$work'"

step "$SOURCE_NAME: making a git tree" "$TPH_CACHE/log/edit.log" source_edit "$SOURCE_NAME" "$work"
chmod 755 "$work"
mv -T "$work" "$dir"
say "edit the commits in $dir, then: ./tph refresh $*"
