# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of the suite observe: memory regions that stay while one looks at them.
gpu=$(bdf_of gpu0)
# The program of hold must be gone before its endpoint is given back.
trap 'let_go; vfio_give_back_all' EXIT

# hold IB-DEVICE BDF STEP...: what the steps register (see kernel/tests/mr_hold.c) is there until
# let_go. One at a time.
hold()
{
	rm -f held held.end
	mkfifo held.end
	/mnt/tests/mr_hold "$@" <held.end >held 2>&1 &
	hold_pid=$!
	exec 8>held.end
	until grep -q '^ready' held; do
		kill -0 $hold_pid 2>/dev/null || fail "mr_hold $*: $(cat held)"
		sleep 0.05
	done
}

let_go()
{
	[ -n "${hold_pid:-}" ] || return 0
	exec 8>&-
	wait "$hold_pid"
	hold_pid=
}

# key STEP: local key of the region, hexadecimal without prefix.
key()
{
	awk -v step="$1" '$1 == step { print $2 }' held
}
