#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a guest with kmemleak: prints leaks that are not explained by kmemleak-explained, extended
# regular expressions for a function in the backtrace of the allocation. Exit status 1 when there are
# any.
set -eu
kmemleak=/sys/kernel/debug/kmemleak
# A block counts as leaked when two scans found no pointer to it and its contents unchanged, and it
# is five seconds old.
echo scan >$kmemleak
sleep 6
echo scan >$kmemleak
explained=$(sed -e 's/[[:space:]]*#.*//' -e '/^$/d' "$(dirname "$0")/kmemleak-explained")
awk -v explained="$explained" '
	BEGIN { n = split(explained, ok, "\n") }

	function judge()
	{
		for (i = 1; i <= n; i++)
			if (block ~ ok[i])
				block = ""
		if (block != "") {
			printf "%s", block
			found++
		}
	}

	/^unreferenced object/ {
		judge()
		block = ""
	}

	{ block = block $0 "\n" }

	END {
		judge()
		exit found > 0
	}' $kmemleak
