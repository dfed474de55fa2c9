# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The words behind ./tph. testbed/host/options has the programs that read the tables of commands.

tph_awk()
{
	tph_program=$1
	shift
	TPH_CACHE=$TPH_CACHE LC_ALL=C awk -f "$TPH_TOP/testbed/host/options/table.awk" -f "$TPH_TOP/testbed/host/options/$tph_program.awk" -- "$TPH_TOP" "$@"
}

# options_parse WORD...: prints assignments for the shell; sets OPT_... and $1, $2, ... when evaluated.
options_parse()
{
	tph_awk parse "$@"
}

# options_begin: after that, what the options mean that several commands have.
options_begin()
{
	cache_name
	[ -z "${OPT_QUIET:-}" ] || export TPH_QUIET=1
	linux_version "${OPT_LINUX:+--linux}" "${OPT_LINUX:-$TPH_LINUX}"
	# With the JSON on standard output, all else is on standard error.
	[ "$OPT_JSON" != - ] || exec 5>&1 1>&2
}

show_help()
{
	tph_awk help "$@"
}

show_version()
{
	echo "tph $(cat "$TPH_TOP/VERSION")"
}

# check_output OPTION FILE: dies when FILE cannot be written, before there is something to write.
check_output()
{
	[ "$1 $2" != '--json -' ] || return 0
	[ ! -d "$2" ] || die "$1 $2: is a directory"
	output_dir=$(dirname -- "$2")
	[ -d "$output_dir" ] || die "$1 $2: no such directory"
	[ -w "$2" ] || { [ ! -e "$2" ] && [ -w "$output_dir" ]; } || die "$1 $2: not writable"
}

check_file()
{
	[ -f "$2" ] || die "$1 $2: no such file"
	[ -r "$2" ] || die "$1 $2: not readable"
}

check_directory()
{
	[ -d "$2" ] || die "$1 $2: no such directory"
}
