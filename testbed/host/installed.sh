# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# --installed: what is on this machine from packages of ours (./tph package) is used instead of being built.

# installed_packages: name and version of each, one per line. Those of rdma-core and perftest are ours by
# their version.
installed_packages()
{
	# shellcheck disable=SC2016 # fields of dpkg-query
	dpkg-query -W -f '${db:Status-Status} ${source:Package} ${Package} ${Version}\n' | awk '
		$1 != "installed" { next }
		$2 ~ /^(rdma-core|perftest)$/ && $4 ~ /\+tph/ || $3 ~ /^linux-image-.*-tph/ ||
			$3 ~ /^(libvfiobar1|vfiobar|tph-emulator|tph-doctor|rdma-bar-examples)$/ { print $3, $4 }' |
		LC_ALL=C sort -V
}

# installed_copy DIR: their files, without the documentation, and programs for the testbed in DIR/bin; the
# newest kernel is in DIR/kernel, as a directory of build_kernel.
installed_copy()
{
	mkdir "$1/root" "$1/bin"
	installed_packages | cut -d ' ' -f 1 | xargs dpkg-query -L | sort -u | while read -r file; do
		case $file in
		[!/]* | /usr/share/doc/* | /usr/share/man/* | /usr/include/*) continue ;;
		esac
		[ -d "$file" ] && [ ! -L "$file" ] || echo "$file"
	done >"$1/files"
	# /bin, /lib and /sbin are links, here and there.
	tar -c --no-recursion --transform 's,^/*\(bin\|lib\|sbin\)/,usr/\1/,S' -P -T "$1/files" | tar -x -C "$1/root"
	cp "$1/root/usr/bin/tph-emulator" "$1/root/usr/bin/tlpdump" "$1/bin/"
	image=$(find "$1/root/boot" -name 'vmlinuz-*' 2>/dev/null | sort -V | tail -n 1)
	if [ -n "$image" ]; then
		release=${image##*/vmlinuz-}
		mkdir "$1/kernel"
		cp "$image" "$1/kernel/bzImage"
		cp "$1/root/boot/config-$release" "$1/kernel/.config"
		echo "$release" >"$1/kernel/release"
		echo plain >"$1/kernel/variant"
	fi
	rm -rf "$1/root/boot" "$1/files"
}

# installed_check: dies when something is missing that every guest has, or that is in $TPH_INSTALLED_NEEDS. Sets
# $installed to the packages.
installed_check()
{
	installed=$(installed_packages)
	for package in libibverbs1 ibverbs-providers librdmacm1 perftest vfiobar tph-emulator ${TPH_INSTALLED_NEEDS:-}; do
		echo "$installed" | grep -q "^${package}\(t64\)\? " || die "--installed: $package of rdma-tph is not" \
			"installed on this machine; './tph package --output DIR' makes the packages"
	done
}

# installed_prepare: sets INSTALLED to a cache entry with all that.
installed_prepare()
{
	installed_check
	INSTALLED=$TPH_CACHE/installed-$({
		echo "$installed"
		echo "$installed" | cut -d ' ' -f 1 | while read -r package; do
			dpkg-query --control-show "$package" md5sums
		done
	} | key "$TPH_TOP/testbed/host/installed.sh")
	say "packages of this machine: $(echo "$installed" | grep -e '^libibverbs1 ' -e '^perftest ' -e '^tph-em' -e '^linux' |
		tr '\n' ';' | sed 's/;$//; s/;/, /g')"
	[ ! -d "$INSTALLED" ] || return 0
	cache_tmp
	step "installed: $(echo "$installed" | wc -l) packages of this machine" "$TPH_CACHE/log/installed.log" \
		installed_copy "$CACHE_TMP"
	cache_publish "$(basename "$INSTALLED")"
}
