# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests that build the rdma-core series: a source tree, a root to build in, warnings.
. "$TPH_TOP/tests/series/lib.sh"
linux=rdma-core # the series that the functions of series-lib.sh are about

# providers_work: the unpatched source is $work_tree, which is src of a build directory that is locked
# and goes away when the test ends. in_build runs in the root that has what rdma-core needs.
providers_work()
{
	cache_lock
	source_pristine rdma-core
	rdma_core_root true
	cache_unlock
	SANDBOX_ROOT=$DEBIAN_ROOT
	SANDBOX_BUILD=$TPH_CACHE/rdma-core-work
	mkdir -p "$SANDBOX_BUILD"
	exec 8>"$SANDBOX_BUILD/lock"
	flock 8
	work_tree=$SANDBOX_BUILD/src
	rm -rf "$work_tree"
	on_exit "rm -rf '$work_tree'"
	mkdir "$work_tree"
	source_copy rdma-core "$work_tree"
}

# providers_quiet CASE CMAKE-OPTION...: passes when the tree builds and the compiler has nothing to say
# about the files that the series touches. Upstream is not free of warnings.
providers_quiet()
{
	quiet_case=$1
	shift
	in_build rdma-core-build.sh "$@" >build.log 2>&1 || {
		grep -A 15 FAILED build.log || tail -n 40 build.log
		result fail "$quiet_case"
		return 1
	}
	series_touched | sed 's,^,/run/build/src/,' >touched
	if grep ' warning:' build.log | grep -F -f touched; then
		result fail "$quiet_case"
		return 1
	fi
	result pass "$quiet_case"
}
