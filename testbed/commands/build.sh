#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph build [OPTION...] [PART...]: build parts of the testbed; all of them by default.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph build'
dry_run='' variant=plain
parts=
while [ $# -gt 0 ]; do
	case $1 in
	--dry-run) dry_run=1 ;;
	--linux)
		linux_version "${2:-}"
		shift
		;;
	--variant)
		kernel_variant "${2:-}"
		variant=$2
		shift
		;;
	sandbox | programs | rdma-core | perftest | iproute2 | guest | kernel | tests) parts="$parts $1" ;;
	-*) usage_error "unknown option $1" ;;
	*) usage_error "nothing called '$1' to build; there are sandbox, programs, rdma-core, perftest, iproute2, guest, kernel and tests" ;;
	esac
	[ $# -eq 0 ] || shift
done
# shellcheck disable=SC2086 # a list
set -- ${parts:-sandbox programs rdma-core perftest iproute2 guest kernel tests}
if [ -n "$dry_run" ]; then
	echo "would build: $* (Linux $TPH_LINUX, $variant)"
	exit 0
fi
cache_lock
sandbox_prepare
for part; do
	case $part in
	sandbox) say "sandbox: $SANDBOX_ROOT" ;;
	programs) build_programs && say "programs: $PROGRAMS" ;;
	rdma-core) build_rdma_core && say "rdma-core: $RDMA_CORE" ;;
	perftest) build_perftest && say "perftest: $PERFTEST" ;;
	iproute2) build_iproute2 && say "iproute2: $IPROUTE2" ;;
	guest) build_guest && say "guest: $GUEST" ;;
	kernel) build_kernel "$variant" && say "kernel: $KERNEL ($(cat "$KERNEL/release"), $variant)" ;;
	tests)
		build_rdma_core
		build_kernel "$variant"
		build_kernel_tests && say "tests: $KERNEL_TESTS"
		;;
	esac
done
