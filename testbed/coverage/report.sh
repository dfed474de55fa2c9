#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: what of the lines added by the series ran. Arguments: build directory with src, o
# and counters (one directory per boot); unpatched source. Source files are named on stdin. Leaves
# coverage.json in the build directory.
set -eu
build=$1
before=$2
cd "$build"

# The added lines: file, number, text.
while IFS= read -r file; do
	diff -U0 "$before/$file" "src/$file" --label a --label b --new-file |
		awk -v file="$file" '
			/^@@ / { split($3, at, ","); line = substr(at[1], 2) + 0; next }
			/^\+\+\+ / { next }
			/^\+/ { printf "%s\t%d\t%s\n", file, line++, substr($0, 2) }'
done >added

# gcov wants the counters of an object beside what the compiler wrote about it.
find counters -name '*.gcda' >counters.list
while IFS= read -r counter; do
	notes=o/${counter#*"$build"/o/}
	notes=${notes%.gcda}.gcno
	mkdir -p one
	cp "$counter" one/object.gcda
	cp "$notes" one/object.gcno
	gcov --json-format --stdout --branch-probabilities one/object.gcda
	rm -r one
done <counters.list >gcov.json
[ -s gcov.json ] || {
	echo "no counters"
	exit 1
}
PYTHONPATH=/src python3 -B -m testbed.coverage.report added /src/kernel/coverage-exceptions gcov.json >coverage.json
