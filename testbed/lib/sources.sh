# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Upstream sources: pinned downloads, unpacked once, and the patch series on top.

# source_name WORD: the source a user calls kernel, rdma-core or perftest; sets SOURCE_NAME.
source_name()
{
	case $1 in
	kernel) SOURCE_NAME=linux ;;
	rdma-core | perftest) SOURCE_NAME=$1 ;;
	*) usage_error "takes kernel, rdma-core or perftest, not '$1'" ;;
	esac
}

# series_dir NAME: where the patches of ours for this source are.
series_dir()
{
	case $1 in
	linux) echo "$TPH_TOP/kernel/7.3" ;;
	rdma-core) echo "$TPH_TOP/providers" ;;
	perftest) echo "$TPH_TOP/perftest" ;;
	esac
}

# source_series NAME: the patches, in order, one per line.
source_series()
{
	set -- "$(series_dir "$1")"/[0-9]*.patch
	[ ! -f "$1" ] || printf '%s\n' "$@"
}

source_override()
{
	case $1 in
	linux) echo "${LINUX_SRC:-}" ;;
	rdma-core) echo "${RDMA_CORE_SRC:-}" ;;
	perftest) echo "${PERFTEST_SRC:-}" ;;
	esac
}

# newest_package PACKAGE: pool file and SHA-256 of its newest version in trixie-backports.
newest_package()
{
	/usr/lib/apt/apt-helper -qq download-file \
		"$(mirror)/dists/trixie-backports/main/binary-amd64/Packages.xz" "$CACHE_TMP/Packages.xz" >/dev/null
	xz -dc "$CACHE_TMP/Packages.xz" | awk -v want="$1" '
		/^Package: / { mine = $2 == want }
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

apply_series()
{
	# Hard links share the pristine tree: patch(1) replaces files instead of rewriting them.
	cp -al "$SOURCE_TREE/." "$1" 2>/dev/null || cp -a "$SOURCE_TREE/." "$1"
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
}
