# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What is built, each as a cache entry named by the contents it is made of.

# series_packages NAME: the packages of the root that NAME is built in.
series_packages()
{
	case $1 in
	rdma-core) echo "$TPH_TOP/testbed/packages/rdma-core" ;;
	*) echo "$TPH_TOP/testbed/packages/sandbox" ;;
	esac
}

# series_key NAME FILE...: key of source, series and the given files; sets SOURCE_ID on the way.
series_key()
{
	name=$1
	shift
	override=$(source_override "$name")
	if [ -n "$override" ]; then
		source_pristine "$name"
	else
		SOURCE_ID=$(awk -v want="$name" '$1 == want' "$TPH_TOP/testbed/sources.list" | key)
	fi
	series_files=$(source_series "$name")
	# shellcheck disable=SC2086 # one word per patch; paths of the checkout are quoted by IFS
	SERIES_KEY=$(IFS='
'; echo "$SOURCE_ID" | key $series_files "$(series_packages "$name")" "$@")
}

# build_series ENTRY NAME SCRIPT [EXTRA [EXTRA]]: the patched source is at /run/build/src in the sandbox, a
# place that never changes, so that the compiler cache finds it again; SCRIPT installs to
# /run/build/out.
build_series()
{
	build_source source_patch "$@"
}

# build_stock ENTRY NAME SCRIPT [EXTRA]: the same with the source as it is upstream.
build_stock()
{
	build_source source_copy "$@"
}

# build_source COMMAND ENTRY NAME SCRIPT [EXTRA [EXTRA]]: COMMAND makes the tree.
build_source()
{
	make_tree=$1
	shift
	source_pristine "$2"
	cache_tmp
	mkdir "$CACHE_TMP/src" "$CACHE_TMP/out"
	$make_tree "$2" "$CACHE_TMP/src"
	SANDBOX_BUILD=$CACHE_TMP
	step "$2: building" "$TPH_CACHE/log/build-$2.log" in_sandbox \
		sh -eu "/src/testbed/sandbox/build/$3" /run/build/src /run/build/out "${4:-}" "${5:-}"
	SANDBOX_BUILD=
	mv -T "$CACHE_TMP/out" "$TPH_CACHE/$1"
	rm -rf "$CACHE_TMP"
}

# build_kernel VARIANT: plain, one that looks for errors (kernel/configs has them), or stock: without the
# series. With TPH_KERNEL, a directory of the cache like those made here, that one is taken for what it is.
build_kernel()
{
	if [ "$1" = stock ]; then
		build_kernel_stock
		return
	fi
	if [ -n "${TPH_KERNEL:-}" ]; then
		[ -f "$TPH_CACHE/$(basename "$TPH_KERNEL")/bzImage" ] ||
			die "TPH_KERNEL=$TPH_KERNEL: not a directory of $TPH_CACHE with a bzImage"
		KERNEL=$TPH_CACHE/$(basename "$TPH_KERNEL")
		return
	fi
	if [ -n "${TPH_INSTALLED:-}" ] && [ "$1,$TPH_LINUX" = "plain,$LINUX_BASE" ] && [ -d "$INSTALLED/kernel" ]; then
		KERNEL=$INSTALLED/kernel
		return
	fi
	variant=$1
	linux=linux-$TPH_LINUX
	configs=$TPH_TOP/kernel/configs
	variant_files=
	[ "$variant" != kcsan ] || variant_files=$TPH_TOP/testbed/sandbox/build/kcsan.sh
	series_key "$linux" "$configs/guest.config" "$configs/$variant.config" \
		"$TPH_TOP/testbed/sandbox/build/kernel.sh" "$TPH_TOP/testbed/sandbox/build/kernel-cc.sh" \
		"$TPH_TOP/testbed/sandbox/build/kernel-install.sh" ${variant_files:+"$variant_files"}
	KERNEL=$TPH_CACHE/kernel-$(echo "$SERIES_KEY $variant" | key)
	[ -d "$KERNEL" ] || build_series "$(basename "$KERNEL")" "$linux" kernel.sh "$variant" "${TPH_SET:-}"
}

build_kernel_stock()
{
	series_key "linux-$TPH_LINUX"
	KERNEL=$TPH_CACHE/kernel-$(echo "$SOURCE_ID stock" | key "$(series_packages linux)" \
		"$TPH_TOP/kernel/configs/guest.config" "$TPH_TOP/testbed/sandbox/build/kernel-stock.sh" \
		"$TPH_TOP/testbed/sandbox/build/kernel-cc.sh" "$TPH_TOP/testbed/sandbox/build/kernel-install.sh")
	[ -d "$KERNEL" ] || build_stock "$(basename "$KERNEL")" "linux-$TPH_LINUX" kernel-stock.sh
}

# build_kernel_tests: what testbed/sandbox/build/guest-programs.sh builds, for the kernel and the rdma-core that were
# built. The variants of a kernel have the same headers, and so share the programs.
build_kernel_tests()
{
	headers=$KERNEL/headers/include
	KERNEL_TESTS=
	# A kernel of TPH_KERNEL may have no headers, or be an earlier step of the series.
	grep -qs ib_uverbs_mr_tph "$headers/rdma/ib_user_ioctl_verbs.h" || return 0
	build_rdma_core
	build_rdma_core_stock
	# shellcheck disable=SC2046 # no blanks in names of sources
	tests_key=$(cd "$TPH_TOP" && {
		echo "$RDMA_CORE $RDMA_CORE_STOCK"
		find "$headers" -type f | LC_ALL=C sort | xargs cat
	} | key VERSION CMakeLists.txt testbed/guest/CMakeLists.txt testbed/sandbox/build/guest-programs.sh \
		testbed/sandbox/build/examples.sh docs/application.md \
		$(find kernel/tests providers/tests perftest/tests tests/faults/*.[ch] tests/reports/*.[ch] testbed/matrix/*.[ch] testbed/cost/*.c testbed/bench/*.c \
			testbed/report/*.c doctor/*.c librdmacm-examples/*.[ch] vfiobar/*.[ch] -type f | LC_ALL=C sort))
	KERNEL_TESTS=$TPH_CACHE/kernel-tests-$tests_key
	[ ! -d "$KERNEL_TESTS" ] || return 0
	cache_tmp
	step "kernel tests: building" "$TPH_CACHE/log/build-kernel-tests.log" in_sandbox \
		sh -eu /src/testbed/sandbox/build/guest-programs.sh "/cache/$(basename "$CACHE_TMP")" \
		"/cache/${headers#"$TPH_CACHE/"}" "/cache/$(basename "$RDMA_CORE")" \
		"/cache/$(basename "$RDMA_CORE_STOCK")"
	cache_publish "$(basename "$KERNEL_TESTS")"
}

# rdma_core_root COMMAND...: in the root that has what rdma-core needs to be built, as sandbox.
rdma_core_root()
{
	debian_root_entry rdma-core-root "$(series_packages rdma-core)"
	rdma_core_sandbox=$SANDBOX_ROOT
	SANDBOX_ROOT=$DEBIAN_ROOT
	"$@"
	SANDBOX_ROOT=$rdma_core_sandbox
}

build_rdma_core()
{
	series_key rdma-core "$TPH_TOP/testbed/sandbox/build/rdma-core.sh"
	RDMA_CORE=$TPH_CACHE/rdma-core-$SERIES_KEY
	[ -d "$RDMA_CORE" ] ||
		rdma_core_root build_series "$(basename "$RDMA_CORE")" rdma-core rdma-core.sh
}

# build_rdma_core_stock: without the series, what older programs and libraries are tested with.
build_rdma_core_stock()
{
	series_key rdma-core
	RDMA_CORE_STOCK=$TPH_CACHE/rdma-core-stock-$(echo "$SOURCE_ID" |
		key "$(series_packages rdma-core)" "$TPH_TOP/testbed/sandbox/build/rdma-core-stock.sh")
	[ -d "$RDMA_CORE_STOCK" ] ||
		rdma_core_root build_stock "$(basename "$RDMA_CORE_STOCK")" rdma-core rdma-core-stock.sh
}

build_perftest()
{
	build_rdma_core
	series_key perftest "$TPH_TOP/testbed/sandbox/build/perftest.sh"
	PERFTEST=$TPH_CACHE/perftest-$(echo "$SERIES_KEY $RDMA_CORE" | key)
	[ -d "$PERFTEST" ] || build_series "$(basename "$PERFTEST")" perftest perftest.sh \
		"/cache/$(basename "$RDMA_CORE")"
}

build_iproute2()
{
	series_key iproute2 "$TPH_TOP/testbed/sandbox/build/iproute2.sh"
	IPROUTE2=$TPH_CACHE/iproute2-$SERIES_KEY
	[ -d "$IPROUTE2" ] || build_series "iproute2-$SERIES_KEY" iproute2 iproute2.sh
}

# build_programs: the emulator and the other C programs of ours.
build_programs()
{
	if [ -n "${TPH_INSTALLED:-}" ]; then
		installed_prepare
		PROGRAMS=$INSTALLED
		return
	fi
	build_programs_of "$TPH_TOP"
	PROGRAMS=$PROGRAMS_OF
}

# build_programs_of TREE: those of a tree of ours, of whichever commit; sets PROGRAMS_OF.
build_programs_of()
{
	programs_rooms=$(rooms "$TPH_TOP") || die 'no key for the programs'
	programs_script=testbed/sandbox/build/programs.sh
	# It was there before testbed/sandbox.
	[ -f "$1/$programs_script" ] || programs_script=testbed/build/programs.sh
	# shellcheck disable=SC2046,SC2086 # no blanks in names of tracked files
	programs_key=$(cd "$1" && key $(find CMakeLists.txt VERSION $programs_rooms \
		vfiobar testbed/packages/sandbox $programs_script -type f 2>/dev/null | LC_ALL=C sort) </dev/null)
	PROGRAMS_OF=$TPH_CACHE/programs-$programs_key
	[ ! -d "$PROGRAMS_OF" ] || return 0
	cache_tmp
	SANDBOX_SOURCE=$1
	step "programs: building" "$TPH_CACHE/log/build-programs.log" in_sandbox \
		sh -eu "/src/$programs_script" "/cache/$(basename "$CACHE_TMP")"
	SANDBOX_SOURCE=
	cache_publish "$(basename "$PROGRAMS_OF")"
}

# build_guest: root file system image of the guest.
build_guest()
{
	if [ -n "${TPH_INSTALLED:-}" ]; then
		guest_trees=$INSTALLED/root
	else
		build_perftest
		build_iproute2
		guest_trees="$RDMA_CORE $PERFTEST $IPROUTE2"
	fi
	debian_root_entry guest "$TPH_TOP/testbed/packages/guest"
	guest_key=$(echo "$DEBIAN_ROOT $guest_trees" | key "$TPH_TOP/testbed/sandbox/build/guest.sh" \
		"$TPH_TOP/testbed/guest/tph-init")
	GUEST=$TPH_CACHE/image-$guest_key
	[ ! -d "$GUEST" ] || return 0
	cache_tmp
	guest_arguments=
	for tree in "$CACHE_TMP" "$DEBIAN_ROOT" $guest_trees; do
		guest_arguments="$guest_arguments /cache/${tree#"$TPH_CACHE"/}"
	done
	# shellcheck disable=SC2086 # a list; names of cache entries have no blanks
	step "guest: making its root file system" "$TPH_CACHE/log/build-guest.log" in_sandbox \
		sh -eu /src/testbed/sandbox/build/guest.sh $guest_arguments
	cache_publish "$(basename "$GUEST")"
}

# build_testbed [COMMAND...]: all that a guest needs, and then COMMANDs that build what else is
# needed. When all of it is there, nobody's build of something else is waited for.
build_testbed()
{
	[ $# -gt 0 ] || set -- 'build_kernel plain'
	# What is missing is told before something is built.
	[ -z "${TPH_INSTALLED:-}" ] || installed_check
	build_parts build_programs build_guest "$@"
}

# build_parts COMMAND...: the sandbox, and what COMMANDs build, in the same way.
build_parts()
{
	if [ -n "$OPT_DRY_RUN" ]; then
		build_pretend
		build_all "$@"
		return
	fi
	require_root
	cache_open
	if (nothing_to_build "$@") 2>/dev/null; then
		build_all "$@"
	else
		cache_lock
		build_all "$@"
		cache_unlock
	fi
}

# build_pretend: from here on, what would be built is said, and nothing is done.
# shellcheck disable=SC2317 # called by what is built
build_pretend()
{
	require_root()
	{
		:
	}
	cache_lock()
	{
		:
	}
	cache_tmp()
	{
		CACHE_TMP=$TPH_CACHE/tmp
	}
	cache_publish()
	{
		:
	}
	step()
	{
		echo "would do: $1"
	}
	# build_source COMMAND ENTRY NAME SCRIPT [EXTRA]
	build_source()
	{
		echo "would do: $3: building${5:+ (${5##*/})}"
	}
}

build_all()
{
	sandbox_prepare
	for part; do
		$part
	done
}

# nothing_to_build COMMAND...: in a shell of its own. Whatever builds begins with one of these.
# shellcheck disable=SC2317 # called by what is built
nothing_to_build()
{
	build_series()
	{
		exit 1
	}
	step()
	{
		exit 1
	}
	cache_tmp()
	{
		exit 1
	}
	build_all "$@"
}
