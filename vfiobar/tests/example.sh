#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The program in the section EXAMPLES of a manual page. Arguments: page, file to write.
set -eu
awk '
	/^\.SH/ { on = 0 }
	/^\.SH EXAMPLES/ { on = 1 }
	on && /^\.EE/ { code = 0 }
	code { gsub(/\\e/, "\\"); gsub(/\\-/, "-"); print }
	on && /^\.EX/ { code = 1 }' "$1" >"$2"
[ -s "$2" ] || {
	echo "$1: no example between .EX and .EE" >&2
	rm "$2"
	exit 1
}
