# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph fuzz [OPTION...] [TARGET...]: fuzz the emulator, see fuzz/README.md.
targets=$*
[ $# -gt 0 ] || targets=$(fuzz_targets)
seconds=$(echo "$OPT_MINUTES" | awk '{ print int($1 * 60) }')
jobs=${OPT_JOBS:-$(nproc)}
seed=${OPT_SEED:-$(od -An -N3 -tu4 /dev/urandom | awk '{ print $1 + 1 }')}
if [ -n "$OPT_DRY_RUN" ]; then
	echo "targets: $targets; $seconds seconds each, seed $seed, $jobs at a time"
	exit 0
fi

build_fuzz fuzzer
run_dir
kept=$TPH_CACHE/fuzz
mkdir -p "$kept" "$TPH_RUN_DIR/out"
say "seed $seed, $seconds s for each of: $targets"

running=
# shellcheck disable=SC2016 # expanded at exit
on_exit 'for one in $running; do kill -TERM "${one#*=}" 2>/dev/null || :; done'

# fuzz_python MODULE ARG...: a program of testbed/fuzz.
fuzz_python()
{
	fuzz_module=testbed.fuzz.$1
	shift
	in_fuzz_root --setenv PYTHONPATH /src python3 -B -m "$fuzz_module" "$@"
}

# ended: takes out of $running what has ended.
ended()
{
	still=
	for one in $running; do
		if kill -0 "${one#*=}" 2>/dev/null; then
			still="$still $one"
			continue
		fi
		wait "${one#*=}" || die "${one%=*}: the fuzzer did not run: $(tail -n 3 "$TPH_RUN_DIR/${one%=*}.err")"
		say "  $(fuzz_python report say "/run/tph/out/${one%=*}.json")"
	done
	running=$still
}

# progress: what each of the running ones has done.
progress()
{
	for one in $running; do
		say "  ... ${one%=*}: $(grep -a '^#[0-9]' "$TPH_RUN_DIR/out/${one%=*}.log" 2>/dev/null |
			tail -n 1 | awk '{ print substr($1, 2), "executions, coverage", $4 }')"
	done
}

# wait_for MOST: until no more than so many run.
shown=$(date +%s)
wait_for()
{
	while ended && [ "$(echo "$running" | wc -w)" -gt "$1" ]; do
		sleep 0.5
		if [ $(($(date +%s) - shown)) -ge 15 ]; then
			shown=$(date +%s)
			progress
		fi
	done
}

for target in $targets; do
	wait_for $((jobs - 1))
	in_fuzz_root sh -eu /src/testbed/fuzz/run.sh "/cache/$(basename "$FUZZ_PROGRAMS")" "$target" "$seconds" "$seed" \
		/run/tph/out /cache/fuzz "$kept" >"$TPH_RUN_DIR/$target.err" 2>&1 </dev/null &
	running="$running $target=$!"
done
wait_for 0
# shellcheck disable=SC2046 # names of targets
fuzz_python report all "$seed" $(for target in $targets; do echo "/run/tph/out/$target.json"; done | sort -u) >"$TPH_RUN_DIR/report.json"
json_result "$TPH_RUN_DIR/report.json"
fuzz_python table /run/tph/report.json
for target in $targets; do
	if grep -q '"finding": {' "$TPH_RUN_DIR/out/$target.json"; then
		cp "$TPH_RUN_DIR/out/$target.log" "$kept/$target/log"
		echo "$target: what it said is in $kept/$target/log"
		status=1
	fi
done
exit "${status:-0}"
