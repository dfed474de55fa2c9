#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root of fuzzers: build the targets of fuzz/. Arguments: source, output directory, and what for:
# fuzzer   libFuzzer with AddressSanitizer and UBSan
# coverage replay of inputs, with counters of lines
# thread   the emulator with ThreadSanitizer
set -eu
build=$(mktemp -d)
cmake -G Ninja -S "$1" -B "$build" -DCMAKE_C_COMPILER=clang -DCMAKE_C_COMPILER_LAUNCHER=ccache \
	-DBUILD_TESTING=OFF -DTPH_DOCTOR=OFF -DFUZZ=ON -DFUZZ_KIND="$3"
case $3 in
thread)
	ninja -C "$build" tph-emulator
	cp "$build/emulator/tph-emulator" "$2/"
	;;
*)
	ninja -C "$build" fuzz_targets
	for program in "$build"/fuzz/fuzz_*; do
		[ ! -f "$program" ] || cp "$program" "$2/"
	done
	;;
esac
rm -rf "$build"
