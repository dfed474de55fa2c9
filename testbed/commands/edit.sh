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

edit_tree()
{
	cp -a "$SOURCE_TREE/." "$work/"
	cd "$work"
	git init -q -b rdma-tph
	git config user.name 'rdma-tph developers'
	git config user.email rdma-tph@example.org
	git config gc.auto 0
	git add -A -f
	git commit -q -m "$SOURCE_NAME as pinned by rdma-tph"
	git tag upstream
	source_series "$SOURCE_NAME" | while IFS= read -r patch; do
		git am -q "$patch"
	done
}
step "$SOURCE_NAME: making a git tree" "$TPH_CACHE/log/edit.log" edit_tree
chmod 755 "$work"
mv -T "$work" "$dir"
say "edit the commits in $dir, then: ./tph refresh $1${2:+ $2}"
