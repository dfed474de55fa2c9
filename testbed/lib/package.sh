# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Debian packages: each part is built in a clean trixie root that has what packaging/packages.common and
# packaging/PART/packages name, from packages of the archive and of the parts it needs.
#
# packaging/PART/ has, besides, prepare.sh, which makes the source package's tree, and what that needs.

# The parts, in an order in which each finds what it needs.
package_parts='rdma-core perftest kernel rdma-tph'

# package_needs PART: the parts whose packages it is built with.
package_needs()
{
	case $1 in
	perftest) echo rdma-core ;;
	esac
}

# package_root DIR PART ARCHIVE...: a new root; ARCHIVEs are directories of packages of ours.
package_root()
{
	root=$1
	packages=$(debian_packages "$TPH_TOP/packaging/packages.common" "$TPH_TOP/packaging/$2/packages")
	shift 2
	for archive; do
		shift
		set -- "$@" "deb [trusted=yes] copy:$archive ./"
	done
	# shellcheck disable=SC2016 # $1 is for mmdebstrap's hook
	mmdebstrap --variant=apt --components=main --include="$packages" \
		--aptopt='APT::Install-Recommends "false"' \
		--customize-hook='mkdir -p "$1/src" "$1/cache" "$1/run/tph"' \
		trixie "$root" "deb $(mirror) trixie main" "$@"
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
		linux_version "$TPH_LINUX"
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

# package_in_root COMMAND...: in_sandbox, with the root of the part.
package_in_root()
{
	(
		SANDBOX_ROOT=$PACKAGE_ROOT
		in_sandbox "$@"
	)
}

# build_package PART: sets PACKAGE to the directory with its packages, an archive for apt.
build_package()
{
	part_archives=
	for need in $(package_needs "$1"); do
		build_package "$need"
		part_archives="$part_archives $PACKAGE"
	done
	package_root_key=$(echo "$part_archives" | key "$TPH_TOP/testbed/lib/package.sh" \
		"$TPH_TOP/packaging/packages.common" "$TPH_TOP/packaging/$1/packages")
	package_sources "$1"
	# shellcheck disable=SC2046 # no blanks in names of tracked files
	PACKAGE=$TPH_CACHE/package-$1-$(echo "$package_root_key $PACKAGE_ID" |
		key "$TPH_TOP/packaging/build.sh" $(find "$TPH_TOP/packaging/$1" -type f | LC_ALL=C sort))
	[ ! -d "$PACKAGE" ] || return 0
	PACKAGE_ROOT=$TPH_CACHE/package-root-$1-$package_root_key
	if [ ! -d "$PACKAGE_ROOT" ]; then
		cache_tmp
		# shellcheck disable=SC2086 # a list
		step "package $1: a clean Debian trixie" "$TPH_CACHE/log/package-root-$1.log" \
			package_root "$CACHE_TMP" "$1" $part_archives
		cache_publish "$(basename "$PACKAGE_ROOT")"
	fi
	cache_tmp
	export PACKAGE_ROOT
	# shellcheck disable=SC2086 # a list
	step "package $1: building" "$TPH_CACHE/log/package-$1.log" package_in_root \
		sh -eu /src/packaging/build.sh "$1" "/cache/$(basename "$CACHE_TMP")" $PACKAGE_ARGUMENTS
	cache_publish "$(basename "$PACKAGE")"
}
