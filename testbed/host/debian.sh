# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Debian trixie roots, for the sandbox and the guest.

# debian_root DIR PACKAGES-FILE: a new trixie root with the packages named in the file.
debian_root()
{
	packages=$(sed 's/#.*//' "$2" | tr -s ' \t\n' ',' | sed 's/^,//; s/,$//')
	# QEMU with a vfio-user client is in backports; nothing else is taken from there.
	# shellcheck disable=SC2016 # $1 is for mmdebstrap's hook
	mmdebstrap --variant=apt --components=main --include="$packages" \
		--aptopt='APT::Install-Recommends "false"' \
		--setup-hook='mkdir -p "$1/etc/apt/preferences.d"' \
		--setup-hook='printf "Package: src:qemu src:seabios\nPin: release n=trixie-backports\nPin-Priority: 990\n" >"$1/etc/apt/preferences.d/qemu"' \
		--customize-hook='mkdir -p "$1/src" "$1/cache" "$1/run/tph" "$1/mnt/share"' \
		trixie "$1" "deb $(mirror) trixie main" "deb $(mirror) trixie-backports main"
}

# debian_root_entry NAME PACKAGES-FILE: the same as cache entry NAME-KEY; sets DEBIAN_ROOT.
debian_root_entry()
{
	entry=$1-$(key "$2" "$TPH_TOP/testbed/host/debian.sh" </dev/null)
	DEBIAN_ROOT=$TPH_CACHE/$entry
	[ ! -d "$DEBIAN_ROOT" ] || return 0
	cache_tmp
	step "$1: Debian trixie with $(sed "s/#.*//" "$2" | wc -w) packages" "$TPH_CACHE/log/$1.log" \
		debian_root "$CACHE_TMP" "$2"
	cache_publish "$entry"
}
