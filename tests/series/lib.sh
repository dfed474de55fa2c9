# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests that build kernels out of the series: a source tree to step through, object
# trees that stay in the cache, progress, cases.
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/test/host-lib.sh"
linux=linux-$TPH_LINUX

# full_only: these tests take an hour or so the first time.
full_only()
{
	[ -n "${TPH_FULL:-}" ] || {
		echo "only with --full"
		exit 77
	}
}

# progress TEXT: past the log of the test, where the front door left a way.
progress()
{
	echo "$*"
	{ printf '         %s\n' "$*" >&4; } 2>/dev/null || :
}

# result pass|fail NAME: a case of this test.
failures=0
result()
{
	echo "$1 $2" >>"$TPH_CASES"
	progress "$1 $2"
	[ "$1" != fail ] || failures=$((failures + 1))
}

# series_touched [PATCH...]: the files that the patches change, of all patches by default.
series_touched()
{
	# shellcheck disable=SC2046 # one word per patch
	[ $# -gt 0 ] || set -- $(source_series "$linux")
	sed -n 's,^+++ b/,,p' "$@" | LC_ALL=C sort -u
}

# series_source VERSION: the unpatched kernel is in SOURCE_TREE.
series_source()
{
	linux=linux-$1
	cache_lock
	source_pristine "$linux"
	cache_unlock
}

# series_before DIR: into DIR the files that the series touches, as they are without it.
series_before()
{
	for file in $(series_touched); do
		rm -f "$1/$file"
		[ ! -f "$SOURCE_TREE/$file" ] || {
			mkdir -p "$1/$(dirname "$file")"
			cp "$SOURCE_TREE/$file" "$1/$file"
		}
	done
}

# series_work NAME: NAME of the cache is a build directory whose src is the unpatched kernel and
# whose object trees are from earlier runs. It is locked until the test ends.
series_work()
{
	series_source "$TPH_LINUX"
	SANDBOX_BUILD=$TPH_CACHE/$1
	mkdir -p "$SANDBOX_BUILD"
	exec 8>"$SANDBOX_BUILD/lock"
	flock 8
	work_tree=$SANDBOX_BUILD/src
	rm -rf "$work_tree"
	mkdir "$work_tree"
	cp -al "$SOURCE_TREE/." "$work_tree" 2>/dev/null || cp -a "$SOURCE_TREE/." "$work_tree"
	# Their objects may be from a patched tree, so make has to see that they are newer.
	series_before "$work_tree"
}

# series_apply PATCH...: in the order given, onto the work tree.
series_apply()
{
	for patch; do
		patch -d "$work_tree" -p1 -F0 --no-backup-if-mismatch -s -i "$patch" ||
			fail "$(basename "$patch") does not apply"
	done
}

# in_build SCRIPT ARG...: a script of testbed/sandbox/series in the sandbox, which cannot see descriptor 8.
in_build()
{
	build_script=$1
	shift
	in_sandbox sh -eu "/src/testbed/sandbox/series/$build_script" "$@" 8>&-
}

# quiet CASE SCRIPT ARG...: passes when the build succeeds and the compiler has nothing to say. Not by
# making warnings errors: with the flags of the guest's kernel the compiler cache knows most of it.
quiet()
{
	quiet_case=$1
	shift
	if in_build "$@" >build.log 2>&1 && ! grep -E 'warning:|WARNING:' build.log; then
		result pass "$quiet_case"
	else
		tail -n 40 build.log
		result fail "$quiet_case"
		return 1
	fi
}
