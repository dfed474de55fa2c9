#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root of fuzzers: lines that the corpus reaches. Arguments: directory of the programs, output
# directory, targets. Leaves what coverage.py makes.
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
. /src/testbed/host/rooms.sh
rooms=$(rooms /src)
llvm-profdata merge -o "$out/profile" "$out"/*.profraw
# shellcheck disable=SC2086 # words
llvm-cov export -format=lcov -instr-profile="$out/profile" $objects >"$out/lcov"
# What starts the emulator and the endpoints have tests of their own.
# shellcheck disable=SC2046,SC2086 # words
PYTHONPATH=/src python3 -B -m testbed.fuzz.coverage "$out" $(printf '%s\n' $rooms | grep -vx -e emulator -e endpoints)
