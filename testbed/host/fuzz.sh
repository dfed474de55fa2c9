# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Fuzzers: their root, their programs, and running them.

# fuzz_targets: their names.
fuzz_targets()
{
	sed -n 's/^fuzz_target(\([a-z]*\) .*/\1/p' "$TPH_TOP/fuzz/CMakeLists.txt" | sort | xargs
}

# in_fuzz_root COMMAND...: like in_sandbox.
in_fuzz_root()
{
	fuzz_outside=$SANDBOX_ROOT
	SANDBOX_ROOT=$FUZZ_ROOT
	fuzz_status=0
	in_sandbox "$@" || fuzz_status=$?
	SANDBOX_ROOT=$fuzz_outside
	return $fuzz_status
}

# build_fuzz KIND: the programs of testbed/sandbox/build/fuzz.sh; sets FUZZ_ROOT and FUZZ_PROGRAMS.
build_fuzz()
{
	require_root
	cache_lock
	sandbox_install_host_packages
	debian_root_entry fuzz-root "$TPH_TOP/testbed/packages/fuzz"
	FUZZ_ROOT=$DEBIAN_ROOT
	fuzz_rooms=$(rooms "$TPH_TOP") || die 'no key for the fuzzers'
	# shellcheck disable=SC2046,SC2086 # no blanks in names of tracked files
	fuzz_key=$(cd "$TPH_TOP" && echo "$1" | key $(find CMakeLists.txt VERSION $fuzz_rooms \
		fuzz/*.[ch] fuzz/CMakeLists.txt testbed/packages/fuzz testbed/sandbox/build/fuzz.sh -type f | LC_ALL=C sort))
	FUZZ_PROGRAMS=$TPH_CACHE/fuzz-$1-$fuzz_key
	if [ ! -d "$FUZZ_PROGRAMS" ]; then
		cache_tmp
		fuzz_sandbox=$SANDBOX_ROOT
		SANDBOX_ROOT=$FUZZ_ROOT
		step "fuzz: building ($1)" "$TPH_CACHE/log/build-fuzz-$1.log" in_sandbox \
			sh -eu /src/testbed/sandbox/build/fuzz.sh /src "/cache/$(basename "$CACHE_TMP")" "$1"
		SANDBOX_ROOT=$fuzz_sandbox
		cache_publish "$(basename "$FUZZ_PROGRAMS")"
	fi
	cache_unlock
}
