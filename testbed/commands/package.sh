#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph package [OPTION...] [PART...]: build Debian packages; of all parts by default.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph package'
dry_run='' output='' repo='' parts=''
while [ $# -gt 0 ]; do
	case $1 in
	--dry-run) dry_run=1 ;;
	--output)
		[ -d "${2:-}" ] || die "--output ${2:-}: no such directory"
		output=$2
		shift
		;;
	--repo)
		[ -d "${2:-}" ] || die "--repo ${2:-}: no such directory"
		[ -z "$(ls -A "$2")" ] || [ -f "$2/Release" ] || die "--repo $2: has something, but is no archive of mine"
		repo=$2
		shift
		;;
	--release)
		# shellcheck disable=SC2154 # testbed/lib/package.sh sets it, and package_parts
		case " $package_releases " in
		*" ${2:-none} "*) PACKAGE_RELEASE=$2 ;;
		*) usage_error "--release takes one of $package_releases, not '${2:-}'" ;;
		esac
		shift
		;;
	-*) usage_error "unknown option $1" ;;
	*)
		# shellcheck disable=SC2154
		case " $package_parts " in
		*" $1 "*) parts="$parts $1" ;;
		*) usage_error "nothing called '$1' to package; there are $package_parts" ;;
		esac
		;;
	esac
	shift
done
: "${parts:=$package_parts}"
if [ -n "$dry_run" ]; then
	echo "would package: $(echo "$parts" | xargs) (Debian $PACKAGE_RELEASE)"
	exit 0
fi
require_root
cache_lock
sandbox_install_host_packages
built=
for part in $parts; do
	build_package "$part"
	say "$part: $PACKAGE"
	find "$PACKAGE" -name '*.deb' -printf '%f %s\n' | LC_ALL=C sort |
		awk '{ printf "%-60s %9d bytes\n", $1, $2 }'
	[ -z "$output" ] || cp "$PACKAGE"/*.* "$output/"
	built="$built $PACKAGE"
done
# shellcheck disable=SC2086 # a list
[ -z "$repo" ] || package_repo "$repo" "$PACKAGE_RELEASE" $built
