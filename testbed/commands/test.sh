# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph test [OPTION...] [SUITE[/NNN]...]: run the suites of tests/, see tests/README.md.
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/host/suites.sh"
list=$OPT_LIST debug=$OPT_DEBUG_KERNEL jobs=$OPT_JOBS words=$*
[ -z "$OPT_FULL" ] || export TPH_FULL=1
# shellcheck disable=SC2153 # an option, see test.options
TPH_INSTALLED=$OPT_INSTALLED
# shellcheck disable=SC2034 # for installed_check
TPH_INSTALLED_NEEDS='rdma-bar-examples tph-doctor'

# suites_json: the suites and their tests, an object for each suite.
suites_json()
{
	suite_table | while read -r suite where default kernels shows; do
		suite_files "$suite" | while read -r name; do
			echo "{\"test\": \"$name\", \"shows\": $(json_string \
				"$(sed -n 's/^# DESCRIPTION: //p' "$TPH_TOP/tests/$suite/$name")")}"
		done >"$scratch/tests"
		echo "{\"suite\": \"$suite\", \"where\": \"$where\", \"kernels\": [$(echo "$default" | tr -d - | tr , '\n' | sed '/^$/d' |
			json_strings)], \"debug_kernels\": [$(echo "$kernels" | tr -d - | tr , '\n' | sed '/^$/d' |
			json_strings)], \"shows\": $(json_string "$shows"), \"tests\": $(json_lines "$scratch/tests")}"
	done
}

scratch=$(mktemp -d)
on_exit "rm -rf '$scratch'"
if [ -n "$list" ]; then
	[ -z "$words$debug" ] || usage_error "--list takes nothing else"
	suite_table | while read -r suite where default kernels shows; do
		case $default in
		-) default=', only when named' ;;
		plain) default= ;;
		*) default=", on $default" ;;
		esac
		printf '%s (%s%s%s): %s\n' "$suite" "$where" "$default" \
			"$([ "$kernels" = - ] || echo "; --debug-kernel: $kernels")" "$shows"
		suite_files "$suite" | while read -r name; do
			printf '    %-28s %s\n' "$name" \
				"$(sed -n 's/^# DESCRIPTION: //p' "$TPH_TOP/tests/$suite/$name")"
		done
	done
	if json_wanted; then
		suites_json >"$scratch/suites"
		TPH_COMMAND=test-list
		echo "{\"suites\": $(json_lines "$scratch/suites")}" | json_made
	fi
	exit 0
fi

# The tests chosen, as lines SUITE/FILE.
if [ -n "$words" ]; then
	export TPH_NAMED=1
	named=1
else
	named=
	# shellcheck disable=SC2016 # fields of awk
	if [ -n "$debug" ]; then
		words=$(suite_names '$4 != "-"')
	else
		words=$(suite_names '$3 != "-"')
	fi
fi
selection=$(for word in $words; do suite_select "$word"; done) || exit
suites=$(suite_table | while read -r suite where rest; do
	! echo "$selection" | grep -q "^$suite/" || echo "$suite"
done)

# kernels_of SUITE: the variants that it runs on.
kernels_of()
{
	if [ -n "$debug" ]; then
		suite_kernels "$1" 4 | sed 's/^-$/debug/'
	elif [ -n "$named${TPH_KERNEL:-}" ]; then
		echo plain
	else
		suite_kernels "$1" 3
	fi
}

if [ -n "$debug" ]; then
	for suite in $suites; do
		[ "$(suite_where "$suite")" = guest ] ||
			usage_error "$suite is no suite for --debug-kernel; there are $(suite_names "\$2 == \"guest\"")"
	done
	[ -z "${TPH_KERNEL:-}" ] || usage_error "--debug-kernel builds its kernels, so TPH_KERNEL cannot be set"
fi
if [ -n "$TPH_INSTALLED" ]; then
	[ -n "$named" ] || usage_error "--installed takes suites of the guest; there are $(suite_names "\$2 == \"guest\"")"
	for suite in $suites; do
		[ "$(suite_where "$suite")" = guest ] ||
			usage_error "$suite is no suite for --installed; there are $(suite_names "\$2 == \"guest\"")"
	done
fi
variants=
for variant in plain debug kcsan; do
	for suite in $suites; do
		! kernels_of "$suite" | grep -qx "$variant" || {
			variants="$variants $variant"
			break
		}
	done
done

TPH_RESULTS=$scratch/results
: >"$TPH_RESULTS"
# Guests that run, as LABEL=PROCESS.
guests=
# shellcheck disable=SC2016 # expanded at exit
on_exit 'for guest in $guests; do kill -TERM "${guest#*=}" 2>/dev/null; wait "${guest#*=}" || :; done'
# The kernels, as lines VARIANT DIRECTORY.
kernels=
build_kernels()
{
	for variant in $variants; do
		build_kernel "$variant"
		kernels="$kernels$variant $KERNEL
"
	done
}

# Machines of the topologies that suites have.
topologies=$(for suite in $suites; do cat "$TPH_TOP/tests/$suite/topology" 2>/dev/null || :; done | sort -u)
build_machines()
{
	for topology in $topologies; do
		machines_build "$topology"
	done
}

if echo "$suites" | while read -r suite; do suite_where "$suite"; done | grep -q guest; then
	build_testbed build_kernels build_kernel_tests build_machines
else
	build_testbed build_kernels
fi
if [ -n "$OPT_DRY_RUN" ]; then
	for variant in $variants; do
		for suite in $suites; do
			! kernels_of "$suite" | grep -qx "$variant" || echo "would run: $suite on the $variant kernel ($(suite_where "$suite"))," \
				"$(echo "$selection" | grep -c "^$suite/") tests"
		done
	done
	exit 0
fi
# shellcheck disable=SC2154 # common.sh
built=$(($(date +%s) - tph_started))
export TPH_TOP TPH_CACHE TPH_RESULTS SANDBOX_ROOT KERNEL GUEST PROGRAMS KERNEL_TESTS DEBIAN_MACHINE

# A guest keeps little more than one processor busy, and has up to 2 GB.
[ -n "$jobs" ] || jobs=$(awk -v most="$(nproc)" '/^MemAvailable/ {
	n = int($2 / (3 * 1024 * 1024))
	print n < 1 ? 1 : n < most ? n : most
}' /proc/meminfo)

# took LABEL SINCE: for the results, how long it was.
took()
{
	printf '%s\tseconds\t%s\t\n' "$1" $(($(date +%s) - $2)) >>"$TPH_RESULTS"
}

# ended_guest: ended is a guest that has ended; it waits for the first one.
ended_guest()
{
	while :; do
		for ended in $guests; do
			# sleep lets the shell see which of its children have ended: then there is no such process.
			kill -0 "${ended#*=}" 2>/dev/null || return 0
		done
		sleep 1
	done
}

# end_guest: what the guest printed that ended, and its results.
end_guest()
{
	ended_guest
	ended_label=${ended%=*}
	ended_status=0
	wait "${ended#*=}" || ended_status=$?
	guests=$(echo "$guests" | tr ' ' '\n' | grep -vxF "$ended" | tr '\n' ' ')
	guests=${guests% }
	cat "$scratch/$ended_label.out"
	cat "$scratch/$ended_label.results" >>"$TPH_RESULTS"
	[ "$ended_status" -eq 0 ] || result "$ended_label" suite fail "ended with status $ended_status"
	took "$ended_label" "$(cat "$scratch/$ended_label.began")"
}

end_guests()
{
	while [ -n "$guests" ]; do
		end_guest
	done
}

# guest SUITE LABEL FILE...: in the background; what it prints waits for end_guest, unless it is alone.
guest()
{
	suite=$1
	label=$2
	shift 2
	# shellcheck disable=SC2086 # words
	while [ "$(set -- $guests && echo $#)" -ge "$jobs" ]; do
		end_guest
	done
	say "suite $label"
	: >"$scratch/$label.results"
	: >"$scratch/$label.out"
	date +%s >"$scratch/$label.began"
	set -- "$TPH_TOP/testbed/test/suite.sh" "$label" "$suite" "$@"
	if [ "$jobs" -eq 1 ]; then
		TPH_RESULTS=$scratch/$label.results sh "$@" &
	else
		TPH_RESULTS=$scratch/$label.results sh "$@" >"$scratch/$label.out" &
	fi
	guests="${guests:+$guests }$label=$!"
}

# run_suite SUITE LABEL FILE...
run_suite()
{
	if [ "$(suite_where "$1")" = guest ]; then
		guest "$@"
		return
	fi
	# Some of these measure.
	end_guests
	say "suite $2"
	suite=$1
	shift 2
	began=$(date +%s)
	here_suite "$suite" "$@"
	took "$suite" "$began"
}

# count VERDICT [SUITES]: results of suites whose label matches the regular expression.
count()
{
	awk -F '\t' -v verdict="$1" -v suites="${2:-.}" \
		'$2 == verdict && $1 ~ suites { n++ } END { print n + 0 }' "$TPH_RESULTS"
}

# summary [SUITES]
summary()
{
	echo "$(count pass "$@") passed, $(count fail "$@") failed, $(count skip "$@") skipped"
}

# kernel_kind VARIANT DIRECTORY: the variant that a kernel is, whatever TPH_KERNEL takes it for.
kernel_kind()
{
	cat "$2/variant" 2>/dev/null || echo "$1"
}

# report: the results as JSON.
report()
{
	# shellcheck disable=SC2046 # releases of kernels have no blanks
	sandbox_python test.report "$(kernel_kind plain "$(echo "$kernels" | sed -n 's/^plain //p')")" \
		$(echo "$kernels" | while read -r variant kernel; do
			[ -z "$variant" ] || echo "$(kernel_kind "$variant" "$kernel")=$(cat "$kernel/release")"
		done) <"$TPH_RESULTS"
}

for variant in $variants; do
	KERNEL=$(echo "$kernels" | sed -n "s/^$variant //p")
	for suite in $suites; do
		# shellcheck disable=SC2046 # names of tests have no blanks
		set -- $(echo "$selection" | sed -n "s|^$suite/||p" | sort -u)
		kernels_of "$suite" | grep -qx "$variant" || continue
		case $variant in
		plain) run_suite "$suite" "$suite" "$@" ;;
		*) run_suite "$suite" "$suite@$variant" "$@" ;;
		esac
	done
done
end_guests
# Once more, for what passed since has moved them out of sight.
awk -F '\t' '$2 == "fail" { printf("failed: %s/%s%s\n", $1, $3, $4 == "" ? "" : ": " $4) }' "$TPH_RESULTS"
[ -n "$named" ] || echo "seconds: $built for what is built; $(awk -F '\t' '$2 == "seconds" { print $3, $1 }' "$TPH_RESULTS" | sort -rn |
	awk '{ printf("%s%s %s", NR == 1 ? "" : ", ", $2, $1) }')"
echo "$kernels" | while read -r variant kernel; do
	[ -n "$variant" ] || continue
	labels="@$variant\$"
	[ "$variant" != plain ] || labels='^[^@]*$'
	echo "Linux $(cat "$kernel/release"), $(kernel_kind "$variant" "$kernel") kernel: $(summary "$labels")"
done
if [ -n "$OPT_JSON" ]; then
	report >"$scratch/report.json"
	json_result "$scratch/report.json"
fi
summary
[ "$(count fail)" -eq 0 ] && [ "$(count pass)" -gt 0 ]
