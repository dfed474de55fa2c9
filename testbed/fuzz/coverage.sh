#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root of fuzzers: lines that the corpus reaches. Arguments: directory of the programs, output
# directory, targets. Leaves rooms, a line 'ROOM LINES COVERED TENTHS-OF-A-PERCENT' each and one for all, table, and
# missed: the lines that were not reached.
set -eu
programs=$1
out=$2
shift 2
objects=
for target; do
	LLVM_PROFILE_FILE=$out/$target.profraw "$programs/fuzz_$target" "/src/fuzz/corpus/$target" >/dev/null 2>"$out/$target.err" || {
		tail -n 20 "$out/$target.err"
		echo "$target: the corpus does not replay"
		exit 1
	}
	objects="$objects -object $programs/fuzz_$target"
done
# shellcheck source=/dev/null
. /src/testbed/lib/rooms.sh
rooms=$(rooms /src)
llvm-profdata merge -o "$out/profile" "$out"/*.profraw
# shellcheck disable=SC2086 # words
llvm-cov export -format=lcov -instr-profile="$out/profile" $objects >"$out/lcov"
awk -F '[:,]' -v missed="$out/missed" -v rooms=" $rooms " '
	/^SF:/ {
		file = $2
		sub(/.*\/src\//, "", file)
		room = file
		sub(/\/.*/, "", room)
		# What starts the emulator and the endpoints have tests of their own.
		wanted = index(rooms, " " room " ") && room != "emulator" && room != "endpoints" && file ~ /^[^\/]*\/[^\/]*\.c$/
	}
	/^DA:/ && wanted {
		lines[room]++
		lines["all"]++
		if ($3 > 0) {
			covered[room]++
			covered["all"]++
		} else {
			print file ":" $2 >missed
		}
	}
	END {
		for (room in lines)
			printf "%s %d %d %d\n", room, lines[room], covered[room], covered[room] * 1000 / lines[room]
	}' "$out/lcov" | sort >"$out/rooms"
awk 'BEGIN { printf "%-10s %8s %8s %8s\n", "room", "lines", "reached", "percent" }
	{ printf "%-10s %8d %8d %8.1f\n", $1, $2, $3, $4 / 10 }' "$out/rooms" >"$out/table"
