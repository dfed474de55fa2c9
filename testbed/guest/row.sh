# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced in the guest: lines of a plan, a JSON object each.

# row_members ROW NAME...: sets the variable NAME to that member of ROW; - for null. Fails when there is none.
row_members()
{
	row=$1
	shift
	# shellcheck disable=SC2016 # variables of jq
	row_assignments=$(printf '%s\n' "$row" | jq -r --args '. as $row | $ARGS.positional[] | . as $name
		| if $row | has($name) then "\($name)=\($row[$name] // "-" | @sh)" else error("no member \($name)") end' "$@") || return 1
	eval "$row_assignments"
}
