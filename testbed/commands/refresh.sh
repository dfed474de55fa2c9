# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph refresh [--linux VERSION] kernel|rdma-core|perftest|iproute2 [DIR]: write the commits of the
# tree made by ./tph edit back as the series.
edit_arguments "$@"
dir=$EDIT_DIR
git -C "$dir" rev-parse -q --verify upstream^0 >/dev/null 2>&1 ||
	die "$dir is no tree of ./tph edit"
[ -z "$(git -C "$dir" status --porcelain)" ] || die "$dir has changes that are not committed"
if [ -n "$OPT_DRY_RUN" ]; then
	echo "would write $(git -C "$dir" rev-list --count upstream..HEAD) commits to $(series_dir "$SOURCE_NAME")"
	exit 0
fi
series_refresh "$SOURCE_NAME" "$dir"
git -C "$dir" tag -f refreshed >/dev/null
! json_wanted || echo "{\"source\": \"$SOURCE_NAME\", \"series\": $(json_string "$(series_dir "$SOURCE_NAME")"), \"commits\": $(git \
	-C "$dir" rev-list --count upstream..HEAD)}" | json_made
