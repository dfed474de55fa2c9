# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Upstream sources: pinned downloads, unpacked once, and the patch series on top.

# edit_arguments SOURCE [DIR]: those of ./tph edit and refresh; sets SOURCE_NAME and EDIT_DIR.
edit_arguments()
{
	EDIT_DIR=$1
	case $1 in
	kernel)
		SOURCE_NAME=linux-$TPH_LINUX
		[ "$TPH_LINUX" = "$LINUX_BASE" ] || EDIT_DIR=kernel-$TPH_LINUX
		;;
	*)
		SOURCE_NAME=$1
		[ -z "$OPT_LINUX" ] || usage_error "--linux is for the kernel, not for $1"
		;;
	esac
	EDIT_DIR=${2:-$TPH_CACHE/edit/$EDIT_DIR}
}

# linux_versions: the kernel versions that can be chosen, on one line.
linux_versions()
{
	sed -n 's/^linux-\([0-9.]*\) .*/\1/p' "$TPH_TOP/testbed/sources.list" | xargs
}

# linux_version OPTION VERSION: choose the kernel version; without OPTION it comes from TPH_LINUX.
linux_version()
{
	case " $(linux_versions) " in
	*" $2 "*) TPH_LINUX=$2 ;;
	*) usage_error "${1:-TPH_LINUX} takes one of $(linux_versions), not '$2'" ;;
	esac
	export TPH_LINUX
}

# series_dir NAME: where the patches of ours for this source are.
series_dir()
{
	case $1 in
	linux-*) echo "$TPH_TOP/kernel/${1#linux-}" ;;
	rdma-core) echo "$TPH_TOP/providers" ;;
	perftest | iproute2) echo "$TPH_TOP/$1" ;;
	esac
}

# series_sets: the sets of the kernel series, as lines "NAME FIRST LAST", in order.
series_sets()
{
	grep -v '^#' "$(series_dir "linux-$LINUX_BASE")/series"
}

# series_set_end: number of the last patch of the set TPH_SET, nothing if that is not set.
series_set_end()
{
	[ -n "${TPH_SET:-}" ] || return 0
	series_sets | awk -v set="$TPH_SET" '$1 == set { print $3 }' | grep . ||
		die "TPH_SET=$TPH_SET: no set of the kernel series; there are $(series_sets | cut -d ' ' -f 1 | xargs)"
}

# source_series NAME: the patches, in order, one per line. The series for another kernel version is
# that for $LINUX_BASE, with some patches replaced by those of the same number. With TPH_SET that of the
# kernel ends with that set.
source_series()
{
	series_last=
	case $1 in
	linux-*) series_last=$(series_set_end) || return ;;
	esac
	series_other=
	case $1 in
	linux-"$LINUX_BASE") ;;
	linux-*)
		series_other=$(series_dir "$1")
		set -- "linux-$LINUX_BASE"
		;;
	esac
	set -- "$(series_dir "$1")"/[0-9]*.patch
	[ -f "$1" ] || return 0
	for patch; do
		if [ -n "$series_other" ]; then
			patch_number=$(basename "$patch")
			for other in "$series_other/${patch_number%%-*}"-*.patch; do
				[ ! -f "$other" ] || patch=$other
			done
		fi
		echo "$patch"
		case $(basename "$patch") in
		"${series_last:-none}"-*) break ;;
		esac
	done
}

source_override()
{
	case $1 in
	linux-*) echo "${LINUX_SRC:-}" ;;
	rdma-core) echo "${RDMA_CORE_SRC:-}" ;;
	perftest) echo "${PERFTEST_SRC:-}" ;;
	iproute2) echo "${IPROUTE2_SRC:-}" ;;
	esac
}

# newest_package PACKAGE: pool file and SHA-256 of the newest version of it, an extended regular expression for its name, in trixie or its backports.
newest_package()
{
	for newest_suite in trixie trixie-backports; do
		/usr/lib/apt/apt-helper -qq download-file \
			"$(mirror)/dists/$newest_suite/main/binary-amd64/Packages.xz" "$CACHE_TMP/$newest_suite.xz" >/dev/null
		xz -dc "$CACHE_TMP/$newest_suite.xz"
	done | awk -v want="^($1)\$" '
		/^Package: / { mine = $2 ~ want }
		mine && /^Version: / { version = $2 }
		mine && /^Filename: / { file = $2 }
		mine && /^SHA256: / { print version, file, $2 }' | sort -V | tail -n 1 | cut -d ' ' -f 2-
}

# source_fetch NAME: the pinned file is at $SOURCE_FILE afterwards, verified.
source_fetch()
{
	# shellcheck disable=SC2046 # the fields of one line
	set -- "$1" $(awk -v want="$1" '$1 == want { print $2, $3, $4 }' "$TPH_TOP/testbed/sources.list")
	mkdir -p "$TPH_CACHE/download"
	SOURCE_FILE=$TPH_CACHE/download/$(basename "$2")
	[ ! -f "$SOURCE_FILE" ] || return 0
	say "downloading $(basename "$2")"
	! download "$(mirror)/$2" "$SOURCE_FILE" "$3" 2>/dev/null || return 0
	[ "$4" != - ] || die "cannot download $2 (or its checksum is not the pinned one)"
	cache_tmp
	newest=$(newest_package "$4")
	[ -n "$newest" ] || die "$2 is gone from the archive, and it has no other $4"
	SOURCE_FILE=$TPH_CACHE/download/$(basename "${newest% *}")
	say "$(basename "$2") is gone from the archive; taking the newest, $(basename "$SOURCE_FILE")"
	[ -f "$SOURCE_FILE" ] || download "$(mirror)/${newest% *}" "$SOURCE_FILE" "${newest#* }" ||
		die "cannot download ${newest% *}"
}

# unpack FILE DIR: the source tree in FILE becomes DIR.
unpack()
{
	case $1 in
	*.deb) # a linux-source package: a tarball in a package
		dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
			tar -xJ -C "$2" --strip-components=1
		;;
	*) tar -xf "$1" -C "$2" --strip-components=1 ;;
	esac
}

# source_pristine NAME: unpacked upstream tree; sets SOURCE_TREE and SOURCE_ID.
source_pristine()
{
	SOURCE_TREE=$(source_override "$1")
	if [ -n "$SOURCE_TREE" ]; then
		[ -d "$SOURCE_TREE" ] || die "$SOURCE_TREE (source of $1): no such directory"
		SOURCE_ID=$(cd "$SOURCE_TREE" && find . -type f ! -path './.git/*' -printf '%p %s %T@\n' |
			sort | key)
		return
	fi
	source_fetch "$1"
	SOURCE_ID=$(basename "$SOURCE_FILE" | key)
	SOURCE_TREE=$TPH_CACHE/source-$1-$SOURCE_ID
	[ ! -d "$SOURCE_TREE" ] || return 0
	cache_tmp
	step "$1: unpacking $(basename "$SOURCE_FILE")" "$TPH_CACHE/log/unpack-$1.log" \
		unpack "$SOURCE_FILE" "$CACHE_TMP"
	cache_publish "$(basename "$SOURCE_TREE")"
}

# source_copy NAME DIR: after source_pristine, the tree as it is upstream. Hard links share the pristine
# one: patch(1) replaces files instead of rewriting them.
source_copy()
{
	cp -al "$SOURCE_TREE/." "$2" 2>/dev/null || cp -a "$SOURCE_TREE/." "$2"
}

apply_series()
{
	source_copy "$2" "$1"
	source_series "$2" | while IFS= read -r patch; do
		basename "$patch"
		patch -d "$1" -p1 -F0 --no-backup-if-mismatch -i "$patch" || exit 1
	done
}

# source_patch NAME DIR: after source_pristine, the tree with the series on top, without fuzz.
source_patch()
{
	step "$1: applying $(source_series "$1" | wc -l) patches" "$TPH_CACHE/log/apply-$1.log" \
		apply_series "$2" "$1"
}

# source_edit NAME DIR: after source_pristine, a git tree with the series as commits.
source_edit()
{
	cp -a "$SOURCE_TREE/." "$2/"
	cd "$2" || return
	git init -q -b rdma-tph
	git config user.name 'rdma-tph developers'
	git config user.email rdma-tph@example.org
	git config gc.auto 0
	git add -A -f
	git commit -q -m "$1 as pinned by rdma-tph"
	git tag upstream
	source_series "$1" | while IFS= read -r patch; do
		git am -q "$patch"
	done
	git tag refreshed
}

# series_refresh NAME DIR: the commits of the tree DIR that source_edit made become the series.
series_refresh()
{
	new=$(mktemp -d)
	on_exit "rm -rf '$new'"
	git -C "$2" format-patch -q -N --zero-commit --no-signature -o "$new" upstream..HEAD
	series=$(series_dir "$1")
	case $1 in
	linux-"$LINUX_BASE") ;;
	linux-*) series_differences "$2" "$new" ;;
	esac
	mkdir -p "$series"
	rm -f "$series"/[0-9]*.patch
	cp "$new"/*.patch "$series/" 2>/dev/null || :
	say "$series: $(find "$new" -name '*.patch' | wc -l) patches"
}

# series_differences DIR NEW: of the patches in NEW, one per commit of DIR, leave those that differ from
# the series for $LINUX_BASE in what they do or in the context they need.
series_differences()
{
	base=$(source_series "linux-$LINUX_BASE")
	[ "$(echo "$base" | wc -l)" -eq "$(find "$2" -name '*.patch' | wc -l)" ] ||
		die "$1 has not as many commits as $(series_dir "linux-$LINUX_BASE") has patches"
	number=0
	git -C "$1" rev-list --reverse upstream..HEAD >"$2/commits"
	while read -r commit; do
		number=$((number + 1))
		export GIT_INDEX_FILE="$2/index"
		git -C "$1" read-tree "$commit^"
		if git -C "$1" apply --cached "$(echo "$base" | sed -n ${number}p)" 2>/dev/null &&
			[ "$(git -C "$1" write-tree)" = "$(git -C "$1" rev-parse "$commit^{tree}")" ]; then
			rm -f "$2/$(printf %04d $number)"-*.patch
		fi
	done <"$2/commits"
	unset GIT_INDEX_FILE
}
