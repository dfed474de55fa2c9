#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# ./tph edit kernel|rdma-core|perftest [DIR]: the pinned upstream source as a git tree on branch
# rdma-tph, with the series applied as commits on top of the tag 'upstream'.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph edit'
source_name "${1:-}"
[ $# -le 2 ] || usage_error "too many arguments"
dir=${2:-$TPH_CACHE/edit/$1}
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
say "edit the commits in $dir, then: ./tph refresh $1${2:+ $2}"
