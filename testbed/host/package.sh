# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Debian packages: each part is built in a clean root of the release $PACKAGE_RELEASE that has what
# packaging/packages.common and packaging/PART/packages name, from packages of the archive and of the parts
# it needs.
#
# packaging/PART/ has, besides, prepare.sh, which makes the source package's tree, and what that needs.

PACKAGE_RELEASE=${PACKAGE_RELEASE:-trixie}

# package_needs PART: the parts whose packages it is built with.
package_needs()
{
	case $1 in
	perftest | rdma-tph) echo rdma-core ;;
	esac
}

# package_sources PART: sets PACKAGE_ARGUMENTS for prepare.sh, and PACKAGE_ID, which names them.
package_sources()
{
	PACKAGE_ARGUMENTS=
	case $1 in
	rdma-tph)
		PACKAGE_ID=$(cd "$TPH_TOP" && find . -path ./.git -prune -o -path ./build -prune -o -type f -print0 |
			LC_ALL=C sort -z | xargs -0 sha256sum | key)
		return
		;;
	kernel)
		package_source=linux-$TPH_LINUX
		;;
	*) package_source=$1 ;;
	esac
	source_fetch "$package_source"
	PACKAGE_ARGUMENTS="/cache/download/$(basename "$SOURCE_FILE")"
	package_id=$(basename "$SOURCE_FILE")
	if grep -q "^$1-debian " "$TPH_TOP/testbed/sources.list"; then
		source_fetch "$1-debian"
		PACKAGE_ARGUMENTS="$PACKAGE_ARGUMENTS /cache/download/$(basename "$SOURCE_FILE")"
		package_id="$package_id $(basename "$SOURCE_FILE")"
	fi
	# shellcheck disable=SC2046 # one word per patch; names of patches have no blanks
	PACKAGE_ID=$(echo "$package_id" | key $(source_series "$package_source"))
	for patch in $(source_series "$package_source"); do
		PACKAGE_ARGUMENTS="$PACKAGE_ARGUMENTS /src/${patch#"$TPH_TOP"/}"
	done
}

# package_repo DIR RELEASE PACKAGE...: DIR becomes an archive for apt, with what is in the directories PACKAGE, each of
# which has a list of its own. What apt reads is there at once or not at all.
package_repo()
{
	repo_dir=$1 repo_release=$2
	shift 2
	rm -f "$repo_dir"/*.deb "$repo_dir/Release" "$repo_dir/Packages"
	for repo_part; do
		cp "$repo_part"/*.deb "$repo_dir/"
		cat "$repo_part/Packages"
		echo
	done >"$repo_dir/Packages"
	chmod a+r "$repo_dir"/*
	{
		cat <<END
Origin: rdma-tph
Label: rdma-tph
Suite: $repo_release
Codename: $repo_release
Date: $(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S UTC')
Description: rdma-tph for Debian $repo_release
SHA256:
END
		echo " $(sha256sum <"$repo_dir/Packages" | cut -d ' ' -f 1) $(wc -c <"$repo_dir/Packages") Packages"
	} >"$repo_dir/Release.new"
	mv "$repo_dir/Release.new" "$repo_dir/Release"
}

# build_package PART: sets PACKAGE to the directory with its packages, an archive for apt.
build_package()
{
	part_archives=
	for need in $(package_needs "$1"); do
		build_package "$need"
		part_archives="$part_archives $PACKAGE"
	done
	package_sources "$1"
	# shellcheck disable=SC2046 # no blanks in names of tracked files
	PACKAGE=$TPH_CACHE/package-$1-$(echo "$part_archives $PACKAGE_ID $PACKAGE_RELEASE" |
		key $(find "$TPH_TOP/packaging" -maxdepth 1 -type f | LC_ALL=C sort) $(find "$TPH_TOP/packaging/$1" -type f | LC_ALL=C sort))
	[ ! -d "$PACKAGE" ] || return 0
	# shellcheck disable=SC2086 # a list
	package_root_entry "$1-$PACKAGE_RELEASE" "$PACKAGE_RELEASE" \
		"$TPH_TOP/packaging/packages.common $TPH_TOP/packaging/$1/packages" $part_archives
	cache_tmp
	export PACKAGE_ROOT
	SANDBOX_BUILD=$CACHE_TMP
	# shellcheck disable=SC2086 # a list
	step "package $1: building" "$TPH_CACHE/log/package-$1.log" package_in_root \
		sh -eu /src/packaging/build.sh "$1" "$PACKAGE_RELEASE" $PACKAGE_ARGUMENTS
	SANDBOX_BUILD=
	cache_publish "$(basename "$PACKAGE")"
}
