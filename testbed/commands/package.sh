# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph package [OPTION...] [PART...]: build Debian packages; of all parts by default.
PACKAGE_RELEASE=$OPT_RELEASE
output=$OPT_OUTPUT repo=$OPT_REPO
[ -z "$repo" ] || [ -z "$(ls -A "$repo")" ] || [ -f "$repo/Release" ] ||
	die "--repo $repo: has something, but is no archive of mine"
if [ -n "$OPT_DRY_RUN" ]; then
	echo "would package: $* (Debian $PACKAGE_RELEASE)"
	exit 0
fi
require_root
cache_lock
sandbox_install_host_packages
rows=$(mktemp -d)
on_exit "rm -rf '$rows'"
built=
for part; do
	build_package "$part"
	say "$part: $PACKAGE"
	find "$PACKAGE" -name '*.deb' -printf '%f %s\n' | LC_ALL=C sort >"$rows/files"
	awk '{ printf "%-60s %9d bytes\n", $1, $2 }' "$rows/files"
	awk '{ printf "{\"name\": \"%s\", \"bytes\": %d}\n", $1, $2 }' "$rows/files" >"$rows/objects"
	echo "{\"part\": \"$part\", \"path\": $(json_string "$PACKAGE"), \"files\": $(json_lines "$rows/objects")}" >>"$rows/parts"
	[ -z "$output" ] || cp "$PACKAGE"/*.* "$output/"
	built="$built $PACKAGE"
done
# shellcheck disable=SC2086 # a list
[ -z "$repo" ] || package_repo "$repo" "$PACKAGE_RELEASE" $built
! json_wanted || echo "{\"release\": \"$PACKAGE_RELEASE\", \"parts\": $(json_lines "$rows/parts")}" | json_made
