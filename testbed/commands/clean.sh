#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph clean [--all]: remove what was built; --all removes downloads and the compiler cache, too.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph clean'
all='' dry_run=''
for option; do
	case $option in
	--all) all=1 ;;
	--dry-run) dry_run='echo' ;;
	*) usage_error "unexpected argument $option" ;;
	esac
done
cache_lock
for entry in "$TPH_CACHE"/*; do
	case $(basename "$entry") in
	lock) continue ;;
	download | ccache | edit) [ -n "$all" ] || continue ;;
	esac
	$dry_run rm -rf "$entry"
done
