# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of the packages.
. "$TPH_TOP/testbed/test/host-lib.sh"

# archive RELEASE PART...: their packages become the directory repo, as ./tph package --repo makes it.
archive()
{
	PACKAGE_RELEASE=$1
	shift
	mkdir repo
	cache_lock
	archive_parts=
	for archive_part; do
		build_package "$archive_part" 2>&4
		archive_parts="$archive_parts $PACKAGE"
	done
	cache_unlock
	# shellcheck disable=SC2086 # a list
	package_repo "$PWD/repo" "$PACKAGE_RELEASE" $archive_parts
}

# try_in_root RELEASE LIST SCRIPT OPTION...: SCRIPT of tests/package runs in a copy of a root of that release with
# the packages in LIST; OPTIONs are bwrap's. Each step there is a case.
try_in_root()
{
	list=$TPH_TOP/tests/package/$2
	script=$3
	cache_lock
	package_root_entry "$2-$1" "$1" "$list" 2>&4
	cache_unlock
	shift 3
	cp -a "$PACKAGE_ROOT" root
	: >root/cases
	bwrap --bind root / --ro-bind repo /srv/rdma-tph --ro-bind "$TPH_TOP/tests/package" /src/tests/package \
		--ro-bind "$TPH_TOP/docs/packagers.md" /src/docs/packagers.md --dev /dev \
		--proc /proc --tmpfs /tmp --tmpfs /run --unshare-pid --unshare-ipc --unshare-uts --die-with-parent --clearenv \
		--setenv PATH /usr/sbin:/usr/bin:/sbin:/bin --setenv HOME /root "$@" \
		sh "/src/tests/package/$script"
	tr ' ' '-' <root/cases | sed 's/-/ /' >"$TPH_CASES"
	[ -s root/cases ] && ! grep -q '^fail' root/cases
}

# try_installed: the testbed in a trixie with the packages of repo and no checkout; the cache is this one.
try_installed()
{
	inside=/var/cache/rdma-tph
	try_in_root trixie compilers installed.sh --cap-add ALL --bind "$TPH_CACHE" $inside --setenv TPH_CACHE $inside \
		--setenv HEADERS "$inside/$(basename "$KERNEL")/headers/include" --setenv TPH_MIRROR "$(mirror)" \
		--ro-bind /etc/resolv.conf /etc/resolv.conf
}
