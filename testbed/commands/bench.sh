# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph bench: how fast the emulated HCA is, beside another commit of it, soft-RoCE and the host's memcpy.
rounds=${OPT_ROUNDS:-10} length=full
[ -z "$OPT_QUICK" ] || rounds=${OPT_ROUNDS:-2} length=quick
vs_commit='' GUEST_OTHER=''
bench_dir=$(mktemp -d)
on_exit "rm -rf '$bench_dir'"
cat "$TPH_TOP/testbed/bench/devices" >"$bench_dir/devices"

if [ -n "$OPT_VS" ]; then
	vs_commit=$(git -C "$TPH_TOP" rev-parse --verify --quiet --end-of-options "$OPT_VS^{commit}" 2>/dev/null) ||
		die "--vs $OPT_VS: no commit of $TPH_TOP"
	cat "$TPH_TOP/testbed/bench/devices-vs" >>"$bench_dir/devices"
	mkdir "$bench_dir/vs"
	git -C "$TPH_TOP" archive "$vs_commit" | tar -x -C "$bench_dir/vs"
fi

# shellcheck disable=SC2317 # called by build_testbed
vs_programs()
{
	[ -n "$vs_commit" ] || return 0
	build_programs_of "$bench_dir/vs"
	GUEST_OTHER=$PROGRAMS_OF
}

build_testbed 'build_kernel plain' build_kernel_tests vs_programs
guest_prepare "$bench_dir/devices"
echo 'exec sh /mnt/src/testbed/bench/guest.sh' >"$TPH_RUN_DIR/job/command"
if [ -n "$OPT_DRY_RUN" ]; then
	guest_run
	exit 0
fi
# shellcheck disable=SC2046 # words
sandbox_python bench.plan $length "$rounds" ${vs_commit:+vs} $(printf '%s' "$OPT_ONLY" | sed 's/^/only=/') >"$TPH_RUN_DIR/job/plan"
cat /proc/loadavg >"$TPH_RUN_DIR/job/load"
say "$(wc -l <"$TPH_RUN_DIR/job/plan") measurements in $rounds rounds${vs_commit:+, beside $vs_commit}"
profile_pid=
if [ -n "$OPT_PROFILE" ]; then
	# shellcheck source=testbed/bench/profile.sh
	. "$TPH_TOP/testbed/bench/profile.sh"
	profile_watch &
	profile_pid=$!
	on_exit "kill $profile_pid 2>/dev/null || :"
fi
# The guest asks for copies by the host's memcpy in between.
sandbox_python bench.copies /run/tph/job "/cache/$(basename "$KERNEL_TESTS")/copies" &
copies_pid=$!
on_exit "kill $copies_pid 2>/dev/null || :"
guest_run
kill $copies_pid 2>/dev/null || :
if [ -n "$profile_pid" ] && [ -e "$TPH_RUN_DIR/job/measured" ]; then
	wait $profile_pid
	profile_functions
fi
status=0
[ "$GUEST_STATUS" -eq 0 ] || status=1
guest_dmesg_check || status=1
in_sandbox "/cache/$(basename "$PROGRAMS")/bin/tlpdump" --flows --json /run/tph/trace.bin >"$TPH_RUN_DIR/flows" || status=1
sandbox_python bench.report /run/tph "$rounds" "$(guest_qemu)" ${vs_commit:+"$vs_commit"} \
	>"$TPH_RUN_DIR/bench.json" || status=1
json_result "$TPH_RUN_DIR/bench.json"
sandbox_python bench.table /run/tph/bench.json
exit $status
