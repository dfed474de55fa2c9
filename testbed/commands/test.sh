#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# ./tph test [OPTION...] [SUITE[/NNN]...]: run the suites of tests/, see tests/README.md.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/suites.sh"
TPH_NAME='tph test'
list='' debug='' json='' words=''
while [ $# -gt 0 ]; do
	case $1 in
	--list) list=1 ;;
	--debug-kernel) debug=1 ;;
	--full) export TPH_FULL=1 ;;
	--json)
		[ $# -ge 2 ] || usage_error "--json needs a value"
		json=$2
		[ -d "$(dirname "$json")" ] || die "--json $json: no such directory"
		shift
		;;
	--linux)
		linux_version "${2:-}"
		shift
		;;
	--linux=*) linux_version "${1#*=}" ;;
	-*) usage_error "unknown option $1" ;;
	*) words="$words $1" ;;
	esac
	shift
done
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
variants=
for variant in plain debug kcsan; do
	for suite in $suites; do
		! kernels_of "$suite" | grep -qx "$variant" || {
			variants="$variants $variant"
			break
		}
	done
done

TPH_RESULTS=$(mktemp)
suite_pid=
on_exit "rm -f '$TPH_RESULTS'"
# shellcheck disable=SC2016 # expanded at exit
on_exit '[ -z "$suite_pid" ] || { kill -TERM "$suite_pid" 2>/dev/null; wait "$suite_pid" || :; }'
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

if echo "$suites" | while read -r suite; do suite_where "$suite"; done | grep -q guest; then
	build_testbed build_kernels build_kernel_tests
else
	build_testbed build_kernels
fi
export TPH_TOP TPH_CACHE TPH_RESULTS SANDBOX_ROOT KERNEL GUEST PROGRAMS KERNEL_TESTS

# run_suite SUITE LABEL FILE...
run_suite()
{
	suite=$1
	label=$2
	shift 2
	say "suite $label"
	if [ "$(suite_where "$suite")" = here ]; then
		here_suite "$suite" "$@"
		return
	fi
	sh "$TPH_TOP/testbed/lib/guest-suite.sh" "$label" "$suite" "$@" &
	suite_pid=$!
	wait "$suite_pid" || result "$label" suite fail "ended with status $?"
	suite_pid=
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
	in_sandbox jq -n -R --arg plain "$(kernel_kind plain "$(echo "$kernels" | sed -n 's/^plain //p')")" \
		--arg kernels "$(echo "$kernels" | while read -r variant kernel; do
			[ -z "$variant" ] || echo "$(kernel_kind "$variant" "$kernel") $(cat "$kernel/release")"
		done)" -f /src/testbed/test/report.jq <"$TPH_RESULTS"
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
echo "$kernels" | while read -r variant kernel; do
	[ -n "$variant" ] || continue
	labels="@$variant\$"
	[ "$variant" != plain ] || labels='^[^@]*$'
	echo "Linux $(cat "$kernel/release"), $(kernel_kind "$variant" "$kernel") kernel: $(summary "$labels")"
done
[ -z "$json" ] || report >"$json"
summary
[ "$(count fail)" -eq 0 ] && [ "$(count pass)" -gt 0 ]
