# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph build [OPTION...] [PART...]: build parts of the testbed; all of them by default.
GUEST_VARIANT=$OPT_VARIANT
if [ -n "$OPT_DRY_RUN" ]; then
	build_pretend
else
	require_root
	cache_lock
fi
sandbox_prepare
rows=$(mktemp)
on_exit "rm -f '$rows'"

# part NAME PATH [MORE]: what was built, or would be.
part()
{
	if [ -z "$OPT_DRY_RUN" ]; then
		say "$1: $2${3:+ ($3)}"
	elif [ ! -d "$2" ]; then
		echo "$1: would be built"
	else
		echo "$1: $2 is there"
	fi
	echo "{\"part\": \"$1\", \"path\": $(json_string "$2")}" >>"$rows"
}

for part; do
	case $part in
	sandbox) part sandbox "$SANDBOX_ROOT" ;;
	programs) build_programs && part programs "$PROGRAMS" ;;
	rdma-core) build_rdma_core && part rdma-core "$RDMA_CORE" ;;
	perftest) build_perftest && part perftest "$PERFTEST" ;;
	iproute2) build_iproute2 && part iproute2 "$IPROUTE2" ;;
	guest) build_guest && part guest "$GUEST" ;;
	machine) build_debian_machine && part machine "$DEBIAN_MACHINE" "$(cat "$DEBIAN_MACHINE/release" 2>/dev/null || :)" ;;
	kernel)
		build_kernel "$OPT_VARIANT"
		part kernel "$KERNEL" "$(cat "$KERNEL/release" 2>/dev/null || echo "Linux $TPH_LINUX"), $OPT_VARIANT"
		;;
	tests)
		build_rdma_core
		build_kernel "$OPT_VARIANT"
		build_kernel_tests && part tests "$KERNEL_TESTS"
		;;
	esac
done
! json_wanted || echo "{\"linux\": \"$TPH_LINUX\", \"variant\": \"$OPT_VARIANT\", \"parts\": $(json_lines "$rows")}" | json_made
