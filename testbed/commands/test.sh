#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# ./tph test [--list] [SUITE...]: run the suites of tests/, see tests/README.md.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph test'
suites='style unit front-door verbs vfio chain'

if [ "${1:-}" = --list ]; then
	[ $# -eq 1 ] || usage_error "--list takes no suites"
	for suite in $suites; do
		echo "$suite"
		for file in "$TPH_TOP/tests/$suite"/[0-9]*; do
			printf '    %-28s %s\n' "$(basename "$file")" "$(sed -n 's/^# DESCRIPTION: //p' "$file")"
		done
	done
	exit 0
fi
for suite; do
	case " $suites " in
	*" $suite "*) ;;
	*) usage_error "no suite '$suite'; there are $suites" ;;
	esac
done
[ $# -gt 0 ] || eval "set -- $suites"

# What a test of the host may use.
results=$(mktemp)
scratch=$(mktemp -d)
on_exit "rm -rf '$results' '$scratch'"
export TPH_TOP TPH_CACHE

# result SUITE NAME pass|fail|skip [WHY]
result()
{
	echo "$3" >>"$results"
	printf '%-5s %s/%s%s\n' "$3" "$1" "$2" "${4:+: $4}"
}

# verdict SUITE NAME STATUS LOG: 0 pass, 77 skip with the last line as its cause, else fail.
verdict()
{
	case $3 in
	0) result "$1" "$2" pass ;;
	77) result "$1" "$2" skip "$(tail -n 1 "$4")" ;;
	*)
		result "$1" "$2" fail "status $3"
		sed 's/^/      /' "$4"
		;;
	esac
}

# A suite on the host: each file is a script; or a program's own tests, one per line of cases.
host_suite()
{
	for file in "$TPH_TOP/tests/$1"/[0-9]*; do
		status=0
		rm -rf "$scratch/work" "$scratch/cases"
		mkdir "$scratch/work"
		(cd "$scratch/work" && TPH_CASES=$scratch/cases sh "$file") >"$scratch/log" 2>&1 </dev/null ||
			status=$?
		if [ -s "$scratch/cases" ]; then
			while read -r verdict name; do
				result "$1" "$name" "$verdict"
			done <"$scratch/cases"
			# Failed cases speak for themselves; a runner that failed otherwise does not.
			if [ "$status" -ne 0 ]; then
				sed 's/^/      /' "$scratch/log"
				grep -q '^fail' "$scratch/cases" ||
					result "$1" "$(basename "$file")" fail "status $status"
			fi
		else
			verdict "$1" "$(basename "$file")" "$status" "$scratch/log"
		fi
	done
}

# A suite in one boot of the guest: tests/guest-suite.sh runs its files there, one after another.
guest_suite()
{
	guest_prepare "$TPH_TOP/testbed/devices"
	mkdir "$TPH_RUN_DIR/job/results"
	echo "exec sh /mnt/src/tests/guest-suite.sh $1" >"$TPH_RUN_DIR/job/command"
	guest_run
	for file in "$TPH_TOP/tests/$1"/[0-9]*; do
		name=$(basename "$file")
		log=$TPH_RUN_DIR/job/results/$name.log
		if [ -f "$TPH_RUN_DIR/job/results/$name" ]; then
			verdict "$1" "$name" "$(cat "$TPH_RUN_DIR/job/results/$name")" "$log"
		else
			result "$1" "$name" fail "the guest left no result"
		fi
	done
	guest_dmesg_check "$TPH_TOP/tests/$1"/[0-9]* || result "$1" dmesg fail
}

build_testbed
export SANDBOX_ROOT KERNEL GUEST PROGRAMS
for suite; do
	say "suite $suite"
	case $suite in
	verbs | vfio) (guest_suite "$suite") ;;
	*) host_suite "$suite" ;;
	esac
done
passed=$(grep -c pass "$results" || :)
failed=$(grep -c fail "$results" || :)
skipped=$(grep -c skip "$results" || :)
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
