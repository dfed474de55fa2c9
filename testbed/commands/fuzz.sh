#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph fuzz [OPTION...] [TARGET...]: fuzz the emulator, see fuzz/README.md.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph fuzz'
all=$(fuzz_targets)

seconds=60 seed='' jobs='' json='' dry='' targets=''

# minutes TEXT: a number above 0, of which a part may be after a point.
minutes()
{
	echo "$1" | grep -qxE '[0-9]{1,4}(\.[0-9]{1,2})?' ||
		usage_error "--minutes takes the minutes for each target, such as 10 or 0.5, not '$1'"
	seconds=$(echo "$1" | awk '{ print int($1 * 60) }')
	[ "$seconds" -gt 0 ] || usage_error "--minutes takes more than '$1'"
}

# number OPTION TEXT MOST: checked.
number()
{
	echo "$2" | grep -qxE '[1-9][0-9]{0,8}' || usage_error "$1 takes 1..$3, not '$2'"
	[ "$2" -le "$3" ] || usage_error "$1 takes 1..$3, not '$2'"
}

while [ $# -gt 0 ]; do
	case $1 in
	--minutes | --seed | --jobs | --json) [ $# -ge 2 ] || usage_error "$1 needs a value" ;;
	esac
	case $1 in
	--minutes) minutes "$2" && shift ;;
	--minutes=*) minutes "${1#*=}" ;;
	--seed) number --seed "$2" 999999999 && seed=$2 && shift ;;
	--seed=*) number --seed "${1#*=}" 999999999 && seed=${1#*=} ;;
	--jobs) number --jobs "$2" 64 && jobs=$2 && shift ;;
	--jobs=*) number --jobs "${1#*=}" 64 && jobs=${1#*=} ;;
	--json) output_file --json "$2" && json=$2 && shift ;;
	--json=*) output_file --json "${1#*=}" && json=${1#*=} ;;
	--dry-run) dry=1 ;;
	-*) usage_error "unknown option $1" ;;
	*)
		case " $all " in
		*" $1 "*) ;;
		*) usage_error "no target '$1'; there are $all" ;;
		esac
		targets="$targets $1"
		;;
	esac
	shift
done
targets=$(echo "${targets:-$all}" | xargs)
jobs=${jobs:-$(nproc)}
seed=${seed:-$(od -An -N3 -tu4 /dev/urandom | awk '{ print $1 + 1 }')}
if [ -n "$dry" ]; then
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
		say "  $(in_fuzz_root jq -r '"\(.target): \(.executions) executions in \(.seconds) s"
			+ if .finding then ", FINDING: \(.finding.why)" else "" end' "/run/tph/out/${one%=*}.json")"
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
# shellcheck disable=SC2016 # variables of jq
in_fuzz_root sh -euc 'jq -n --argjson seed "$1" "{seed: \$seed, targets: [inputs]}" /run/tph/out/*.json' sh "$seed" \
	>"$TPH_RUN_DIR/report.json"
[ -z "$json" ] || cp "$TPH_RUN_DIR/report.json" "$json"
in_fuzz_root jq -r -f /src/testbed/fuzz/table.jq /run/tph/report.json
for target in $targets; do
	if grep -q '"finding":{' "$TPH_RUN_DIR/out/$target.json"; then
		cp "$TPH_RUN_DIR/out/$target.log" "$kept/$target/log"
		echo "$target: what it said is in $kept/$target/log"
		status=1
	fi
done
exit "${status:-0}"
