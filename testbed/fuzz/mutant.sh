#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root of fuzzers: build a tree with a mutant of fuzz/mutants, and see that its target notices. Arguments: the
# mutant, a directory to work in. A mutant is a script of sed after lines '# FILE: path' and '# TARGET: name'.
# The target starts from the corpus, without what the mutant's own seeds are (inputs with a name): those
# show that a defect that was known stays found, here it is found anew. Exit status 0: it noticed.
set -eu
mutant=$1
work=$2
file=$(sed -n 's/^# FILE: //p' "$mutant")
target=$(sed -n 's/^# TARGET: //p' "$mutant")
rm -rf "$work/tree" "$work/corpus" "$work/mutant.log"
mkdir -p "$work/tree" "$work/corpus"
cd /src
# shellcheck source=/dev/null
. testbed/host/rooms.sh
rooms=$(rooms .)
# shellcheck disable=SC2086 # words
cp -a CMakeLists.txt VERSION $rooms fuzz "$work/tree/"
cp "$work/tree/$file" "$work/before"
sed -i -f "$mutant" "$work/tree/$file"
! cmp -s "$work/before" "$work/tree/$file" || {
	echo "the mutant changes nothing in $file"
	exit 1
}
# One place for all, so that the compiler cache knows all but the file that changed.
[ -d "$work/build" ] || cmake -G Ninja -S "$work/tree" -B "$work/build" -DCMAKE_C_COMPILER=clang \
	-DCMAKE_C_COMPILER_LAUNCHER=ccache -DBUILD_TESTING=OFF -DTPH_DOCTOR=OFF -DFUZZ=ON
ninja -C "$work/build" "fuzz_$target"
find "/src/fuzz/corpus/$target" -type f | grep -E '/[0-9a-f]{40}$' | xargs -r cp -t "$work/corpus"
begin=$(date +%s)
status=0
"$work/build/fuzz/fuzz_$target" -timeout=30 -rss_limit_mb=512 -malloc_limit_mb=256 -max_total_time=60 -max_len=2048 \
	-len_control=0 -seed=1 -artifact_prefix="$work/" "$work/corpus" >"$work/mutant.log" 2>&1 || status=$?
why=$(grep -a -m 1 -E '^(oracle|finding|fuzz): |runtime error|ERROR: ' "$work/mutant.log" | cut -c1-160 || :)
if [ $status -eq 0 ]; then
	tail -n 20 "$work/mutant.log"
	echo "$target did not notice within a minute"
	exit 1
fi
echo "$target noticed in $(($(date +%s) - begin)) s: $why"
