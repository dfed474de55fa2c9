# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph edit [--linux VERSION] kernel|rdma-core|perftest|iproute2 [DIR]: the pinned upstream source as
# a git tree on branch rdma-tph, with the series applied as commits on top of the tag 'upstream'.
edit_arguments "$@"
dir=$EDIT_DIR
[ ! -e "$dir" ] || die "$dir exists; edit there, or remove it first"
if [ -n "$OPT_DRY_RUN" ]; then
	echo "would make $dir: the source of $SOURCE_NAME with $(source_series "$SOURCE_NAME" | wc -l) commits"
	exit 0
fi
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
! json_wanted || echo "{\"source\": \"$SOURCE_NAME\", \"tree\": $(json_string "$dir"), \"commits\": $(source_series "$SOURCE_NAME" |
	wc -l)}" | json_made
