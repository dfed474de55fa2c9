#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Reads a kernel log and prints its lines that mean trouble and are not explained, in
# dmesg-explained or by a '# EXPLAINED: regular expression' line of the files named as arguments,
# and the lines around them. Exit status 1 when there are any.
set -eu
explained=$(
	sed -e 's/[[:space:]]*#.*//' -e '/^$/d' "$(dirname "$0")/dmesg-explained"
	[ $# -eq 0 ] || sed -n 's/^# EXPLAINED: //p' "$@"
)
exec awk -v explained="$explained" '
	BEGIN { n = split(explained, ok, "\n") }

	function trouble()
	{
		# WARNING, BUG: also what lockdep, KASAN, KCSAN and kmemleak find.
		if ($0 !~ /WARNING: |BUG: |BUG [a-zA-Z]|kernel BUG at|Oops|general protection fault|Kernel panic/ &&
		    $0 !~ /Call Trace:|nable to handle|INFO: (possible|trying)|possible circular|suspicious RCU/ &&
		    $0 !~ /turning off the locking|DEBUG_LOCKS_WARN_ON|INFO: lockdep is turned off/ &&
		    $0 !~ /blocked for more than|soft lockup|rcu: INFO|UBSAN:|KASAN:|KCSAN:|kmemleak:/ &&
		    $0 !~ /DMAR:.*[Ff]ault|DMA-API:|refcount_t:|ODEBUG:|list_(add|del) corruption/ &&
		    $0 !~ /unregister_netdevice: waiting|page dumped because|scheduling while atomic/ &&
		    $0 !~ /mlx5.*([Ee]rror|[Ff]ail|leak|time(d )?out|compromised|dump_cqe|cmd_out_err|corrupt|[Uu]nable)/)
			return 0
		# What is explained has its call trace explained.
		if (/Call Trace:/ && trace) {
			trace = 0
			return 0
		}
		for (i = 1; i <= n; i++)
			if ($0 ~ ok[i]) {
				trace = /WARNING: /
				return 0
			}
		return 1
	}

	trouble() {
		if (!found++)
			print "the kernel of the guest complained:"
		around = 25
	}

	around > 0 && shown < 400 {
		print
		around--
		shown++
	}

	END { exit found > 0 }'
