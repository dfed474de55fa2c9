# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The suites of ./tph test: the table tests/suites, selections from it, running and results.

# suite_table: the lines of the table.
suite_table()
{
	grep -v '^#' "$TPH_TOP/tests/suites"
}

# suite_names AWK-CONDITION: suites of which the condition holds, on one line.
suite_names()
{
	suite_table | awk "$1 { print \$1 }" | xargs
}

# suite_where SUITE: here or guest.
suite_where()
{
	suite_table | awk -v want="$1" '$1 == want { print $2 }'
}

# suite_kernels SUITE COLUMN: the kernels in this column of the table, a line each.
suite_kernels()
{
	suite_table | awk -v suite="$1" -v column="$2" '$1 == suite { print $column }' | tr ',' '\n'
}

# suite_files SUITE [PREFIX]: names of its tests.
suite_files()
{
	for file in "$TPH_TOP/tests/$1/${2:-}"*; do
		[ ! -f "$file" ] || case $(basename "$file") in
		[0-9]*) basename "$file" ;;
		esac
	done
}

# suite_select WORD: a SUITE, or tests of one as SUITE/NNN; prints a line SUITE/FILE for each.
suite_select()
{
	select_suite=${1%%/*}
	case " $(suite_names 1) " in
	*" $select_suite "*) ;;
	*) usage_error "no suite '$select_suite'; there are $(suite_names 1)" ;;
	esac
	case $1 in
	*/*) select_prefix=${1#*/} ;;
	*) select_prefix= ;;
	esac
	select_files=$(suite_files "$select_suite" "$select_prefix")
	[ -n "$select_files" ] || usage_error "no test '$1'"
	echo "$select_files" | sed "s|^|$select_suite/|"
}

# result SUITE NAME pass|fail|skip [WHY]: SUITE has the kernel with it (race@kcsan).
result()
{
	printf '%s\t%s\t%s\t%s\n' "$1" "$3" "$2" "${4:-}" >>"$TPH_RESULTS"
	printf '%-5s %s/%s%s\n' "$3" "$1" "$2" "${4:+: $4}"
}

# verdict SUITE NAME STATUS LOG CASES: the cases that the test NAME left, or else its status: 0 pass,
# 77 skip with the last line as its cause, else fail.
verdict()
{
	if [ -s "$5" ]; then
		while read -r case_verdict case_name; do
			result "$1" "$2: $case_name" "$case_verdict"
		done <"$5"
		# A failed case speaks for itself; a test that failed otherwise does not.
		if ! grep -q '^fail' "$5"; then
			[ "$3" -ne 0 ] || return 0
			result "$1" "$2" fail "status $3"
		fi
		sed 's/^/      /' "$4"
		return
	fi
	case $3 in
	0) result "$1" "$2" pass ;;
	77) result "$1" "$2" skip "$(tail -n 1 "$4")" ;;
	*)
		result "$1" "$2" fail "status $3"
		sed 's/^/      /' "$4" 2>/dev/null || :
		;;
	esac
}

# here_suite SUITE FILE...: each file is a script, in an empty directory of its own. Descriptor 4 is
# the standard error of ./tph test, for progress.
here_suite()
{
	here_suite=$1
	shift
	here_scratch=$(mktemp -d)
	on_exit "rm -rf '$here_scratch'"
	here_pid=
	# shellcheck disable=SC2016 # expanded at exit
	on_exit '[ -z "$here_pid" ] || { kill -TERM "-$here_pid" 2>/dev/null || :; wait "$here_pid" || :; }'
	for name; do
		status=0
		rm -rf "$here_scratch/work" "$here_scratch/cases"
		mkdir "$here_scratch/work"
		# In a session of its own, so that a signal to ./tph ends all that the test started.
		(cd "$here_scratch/work" &&
			TPH_FORGET=1 TPH_CASES=$here_scratch/cases exec setsid sh "$TPH_TOP/tests/$here_suite/$name") \
			4>&2 >"$here_scratch/log" 2>&1 </dev/null &
		here_pid=$!
		wait "$here_pid" || status=$?
		here_pid=
		verdict "$here_suite" "$name" "$status" "$here_scratch/log" "$here_scratch/cases"
	done
	rm -rf "$here_scratch"
}

# guest_suite LABEL SUITE FILE...: in one boot of the guest; testbed/test/guest.sh runs the files there,
# one after another. A file `devices` of the suite describes the machine, a file `iommu` its IOMMU mode, a
# file `cmdline` has options for the kernel, a file `topology` names one of testbed/topologies.
guest_suite()
{
	label=$1
	suite=$2
	shift 2
	dir=$TPH_TOP/tests/$suite
	[ ! -f "$dir/iommu" ] || GUEST_IOMMU=$(cat "$dir/iommu")
	[ ! -f "$dir/topology" ] || GUEST_TOPOLOGY=$(cat "$dir/topology")
	[ ! -f "$dir/cmdline" ] || GUEST_CMDLINE=$(cat "$dir/cmdline")
	if [ -f "$dir/devices" ]; then
		guest_prepare "$dir/devices"
	else
		guest_prepare "$TPH_TOP/testbed/devices"
	fi
	left=$TPH_RUN_DIR/job/results
	mkdir "$left"
	cat >"$TPH_RUN_DIR/job/command" <<EOF
export LINUX_BASE=$LINUX_BASE TPH_SERIES_END=$(series_set_end) TPH_FULL=${TPH_FULL:-} ${TPH_SECONDS:+TPH_SECONDS="$TPH_SECONDS"}
export ${TPH_SEED:+TPH_SEED="$TPH_SEED"} TPH_VARIANT=$(guest_variant)
exec sh /mnt/src/testbed/test/guest.sh $suite $*
EOF
	guest_boot || result "$label" machine fail "$GUEST_FAILURE"
	for name; do
		if [ -f "$left/$name" ]; then
			verdict "$label" "$name" "$(cat "$left/$name")" "$left/$name.log" "$left/$name.cases"
		else
			result "$label" "$name" fail "the guest left no result"
			sed 's/^/      /' "$left/$name.log" 2>/dev/null || :
		fi
	done
	if [ "$(guest_variant)" = debug ]; then
		verdict "$label" kmemleak "$(cat "$left/kmemleak" 2>/dev/null || echo missing)" \
			"$left/kmemleak.log" "$left/none"
	fi
	# shellcheck disable=SC2046 # names of tests have no blanks
	guest_dmesg_check $(printf "$dir/%s\n" "$@") || result "$label" dmesg fail
}
