# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Clean Debian roots in which packages are built and tried.

# package_root DIR SUITE "FILE..." ARCHIVE...: a new root with the packages that the files name; ARCHIVEs
# are directories with packages of ours.
package_root()
{
	root=$1
	suite=$2
	# shellcheck disable=SC2086 # a list of files
	packages=$(cat $3 | sed 's/#.*//' | tr -s ' \t\n' ',' | sed 's/^,//; s/,$//')
	shift 3
	for archive; do
		shift
		set -- "$@" "deb [trusted=yes] copy:$archive ./"
	done
	# shellcheck disable=SC2016 # $1 is for mmdebstrap's hook
	PKGSYSTEM_ENABLE_FSYNC=0 mmdebstrap --variant=apt --components=main --include="$packages" \
		--aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
		--customize-hook='mkdir -p "$1/src" "$1/cache" "$1/run/tph"' \
		"$suite" "$root" "deb $(mirror) $suite main" "$@"
}

# package_root_entry NAME SUITE "FILE..." ARCHIVE...: the same as cache entry; sets PACKAGE_ROOT.
package_root_entry()
{
	entry_name=package-root-$1
	shift
	package_suite=$1
	package_files=$2
	shift 2
	# shellcheck disable=SC2086 # a list of files
	PACKAGE_ROOT=$TPH_CACHE/$entry_name-$(echo "$package_suite $*" |
		key "$TPH_TOP/testbed/host/package-root.sh" $package_files)
	[ ! -d "$PACKAGE_ROOT" ] || return 0
	cache_tmp
	step "$entry_name: a clean Debian $package_suite" "$TPH_CACHE/log/$entry_name.log" \
		package_root "$CACHE_TMP" "$package_suite" "$package_files" "$@"
	cache_publish "$(basename "$PACKAGE_ROOT")"
}

# package_in_root COMMAND...: in_sandbox, with that root.
package_in_root()
{
	(
		SANDBOX_ROOT=$PACKAGE_ROOT
		in_sandbox "$@"
	)
}
