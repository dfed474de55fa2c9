#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a copy of a root with the packages of `stock`: ours are installed over them, purged, and installed again where
# nothing was. Leaves a line pass|fail NAME in /cases for each step.
set -u
# shellcheck source=tests/package/steps.sh
. /src/tests/package/steps.sh

# installed: each of ours is there in our version, complete, and none is half done.
installed()
{
	for package in $ours; do
		want=$(awk -v want="$package" '$1 == "Package:" { mine = $2 == want }
			mine && $1 == "Version:" { print $2 }' $repo/Packages)
		have=$(dpkg-query -W -f '${Status} ${Version}' "$package")
		[ "$have" = "install ok installed $want" ] || {
			echo "$package: $have, expected $want"
			return 1
		}
		dpkg --verify "$package" >/verify
		# A minimal root has no documentation, by its configuration.
		! grep -v ' /usr/share/\(doc\|man\|locale\)/' /verify || return 1
	done
	[ -z "$(dpkg --audit)" ]
}

# resolved: all programs and libraries of ours and of those that use ours find their symbols.
resolved()
{
	# shellcheck disable=SC2086 # a list
	dpkg -L $ours $1 | sort -u | while read -r file; do
		if [ ! -f "$file" ] || [ -L "$file" ]; then
			continue
		fi
		case $file in
		*.so* | */bin/* | */sbin/*) ;;
		*) continue ;;
		esac
		[ "$(head -c 4 "$file" | tail -c 3)" = ELF ] || continue
		# Plug-ins take the symbols of the program that loads them.
		case $file in
		*.cpython-* | */ibacm/*) ldd "$file" ;;
		*) ldd -r "$file" ;;
		esac 2>&1 | grep -e 'not found' -e 'undefined symbol' | sed "s|^|$file: |"
	done >/unresolved
	cat /unresolved
	[ ! -s /unresolved ]
}

programs()
{
	version=$(awk '$1 == "Package:" { mine = $2 == "vfiobar" } mine && $1 == "Version:" { print $2 }' $repo/Packages)
	version=${version%~bpo*}
	for program in $(project_programs); do
		says 0 "^${program##*/} $version\$" "$program" --version || return 1
	done
	# Help is status 1 to perftest.
	says 0 'usage: vfiobar' vfiobar --help && says 0 'usage: tph-emulator' tph-emulator --help &&
		says 0 'usage: tph-doctor' tph-doctor --help && says 2 'usage: rdma_bar_client' rdma_bar_client &&
		says 0 '^Usage: tlpdump' tlpdump --help && says 0 'usage: ./tph' tph help &&
		says 0 42 python3 -c 'import pyverbs.device; print(42)' && says 1 '--dmabuf-tph' ib_write_bw --help
}

# project_programs: those of this project's own packages.
project_programs()
{
	sed -n '/^Package: /h; /^Source: rdma-tph$/{x;p;x}; s/^Package: \(rdma-tph\)$/&/p' $repo/Packages |
		sed 's/^Package: //' | sort -u | grep -v -e '-dbgsym$' | xargs dpkg -L |
		grep -E '^/usr/(bin|libexec/[^/]+)/[^/]+$'
}

archive_programs()
{
	says 0 '[Vv]ersion' ucx_info -v && says 0 'libfabric: ' fi_info --version
}

# gone: no file of ours is left, and no package remembers its configuration.
gone()
{
	for deb in "$repo"/*.deb; do
		dpkg-deb -c "$deb" | awk '$1 !~ /^d/ { print substr($6, 2) }'
	done | sort -u | while read -r file; do
		[ ! -e "$file" ] || echo "$file"
	done >/left
	cat /left
	# shellcheck disable=SC2086 # a list
	dpkg-query -W -f '${Package} ${Status}\n' $ours 2>/dev/null | grep -v 'not-installed$' >>/left
	[ ! -s /left ]
}

# purged: what is there, so that nothing being left means something.
purged()
{
	# shellcheck disable=SC2086 # a list
	installed && apt-get -q -y purge $ours
}

# shellcheck disable=SC2086 # lists
{
	step 'the archive is added as documented' documented "echo 'deb"
	step 'installed over the packages of the archive' apt-get -q -y --no-remove install $ours
	step 'every package is in our version' installed
	step 'programs of the archive find their symbols in our libraries' resolved 'ucx-utils libfabric-bin'
	step 'programs of the archive work' archive_programs
	step 'our programs work' programs
	step 'purged' purged
	step 'nothing is left' gone
	step 'installed where they were not' apt-get -q -y install $ours
	step 'every package is in our version, again' installed
	step 'our programs work, again' programs
	step 'all symbols are found' resolved ''
}
