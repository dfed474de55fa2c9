#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root of fuzzers: fuzz one target. Arguments: directory of the programs, target, seconds, seed,
# directory for the log and the result, directory where findings are kept, and its name outside. The corpus of the checkout is
# where it starts; what is found on the way stays in corpus/TARGET beside the findings.
# Exit status 0, also with a finding: the result, a line of JSON in TARGET.json, has it.
set -eu
programs=$1
target=$2
seconds=$3
seed=$4
out=$5
kept=$6
outside=$7
log=$out/$target.log
corpus=$kept/corpus/$target
mkdir -p "$corpus" "$kept/$target" /tmp/new
limits='-timeout=30 -rss_limit_mb=512 -malloc_limit_mb=256'
case $target in
cmd | umr | wqe | tlp) length=2048 ;;
*) length=1024 ;;
esac
# What these print about each input is not for the log.
case $target in
tlpdump | options | vfio) quiet=3 ;;
*) quiet=0 ;;
esac
dictionary=
[ ! -f "/src/fuzz/dict/$target" ] || dictionary=-dict=/src/fuzz/dict/$target
status=0
begin=$(date +%s)
# shellcheck disable=SC2086 # words
"$programs/fuzz_$target" $limits -seed="$seed" -max_total_time="$seconds" -max_len=$length -len_control=0 \
	-close_fd_mask=$quiet -print_final_stats=1 -artifact_prefix="$kept/$target/" $dictionary \
	"$corpus" "/src/fuzz/corpus/$target" >"$log" 2>&1 || status=$?
took=$(($(date +%s) - begin))
finding=$(sed -n 's/.*Test unit written to //p' "$log" | head -n 1)
if [ $status -ne 0 ] && [ -n "$finding" ]; then
	# shellcheck disable=SC2086 # words
	"$programs/fuzz_$target" $limits -minimize_crash=1 -max_total_time=20 -close_fd_mask=$quiet \
		-exact_artifact_path="$finding.min" "$finding" >"$out/$target.minimize" 2>&1 || :
	[ ! -s "$finding.min" ] || mv "$finding.min" "$finding"
fi
PYTHONPATH=/src python3 -B -m testbed.fuzz.report target "$target" "$seed" "$took" $status "$outside${finding#"$kept"}" "$log" \
	>"$out/$target.json"
