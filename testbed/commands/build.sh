#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# ./tph build [PART...]: build parts of the testbed; all of them by default.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph build'
dry_run=
if [ "${1:-}" = --dry-run ]; then
	dry_run=1
	shift
fi
[ $# -gt 0 ] || set -- sandbox programs rdma-core perftest guest kernel
for part; do
	case $part in
	sandbox | programs | rdma-core | perftest | guest | kernel) ;;
	*) usage_error "nothing called '$part' to build; there are sandbox, programs, rdma-core, perftest, guest and kernel" ;;
	esac
done
if [ -n "$dry_run" ]; then
	printf 'would build: %s\n' "$*"
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
	guest) build_guest && say "guest: $GUEST" ;;
	kernel) build_kernel && say "kernel: $KERNEL ($(cat "$KERNEL/release"))" ;;
	esac
done
