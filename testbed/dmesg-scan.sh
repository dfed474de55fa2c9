#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Reads a kernel log and prints its lines that mean trouble and are not explained, in
# dmesg-explained or by a '# EXPLAINED: regular expression' line of the files named as arguments.
# Exit status 1 when there are any.
set -eu
explained=$(
	sed -e 's/[[:space:]]*#.*//' -e '/^$/d' "$(dirname "$0")/dmesg-explained"
	[ $# -eq 0 ] || sed -n 's/^# EXPLAINED: //p' "$@"
)
found=$(awk -v explained="$explained" '
	BEGIN { n = split(explained, ok, "\n") }
	/WARNING: |BUG: |Oops|general protection fault|INFO: possible|possible circular/ ||
	/suspicious RCU|blocked for more than|Call Trace:|Kernel panic|kernel BUG at|UBSAN:|KASAN:/ ||
	/soft lockup|rcu: INFO|DMAR:.*[Ff]ault|DMA-API:|refcount_t:|list_(add|del) corruption/ ||
	/mlx5.*([Ee]rror|[Ff]ail|leak|time(d )?out|compromised|dump_cqe|cmd_out_err|corrupt|[Uu]nable)/ {
		for (i = 1; i <= n; i++)
			if ($0 ~ ok[i])
				next
		print
	}')
[ -z "$found" ] || {
	echo "the guest's kernel complained:"
	echo "$found"
	exit 1
}
