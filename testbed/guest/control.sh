# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced in the guest: questions to the emulator, over the control port (see emulator/control.h).

# A port can be opened once only, so it stays open.
exec 7<>"$TPH_CONTROL"

# control WORD...: prints the emulator's answer; returns 1 and says why when it is an error.
control()
{
	echo "$*" >&7
	IFS= read -r control_answer <&7
	case $control_answer in
	'{"error"'*)
		echo "control $*: $control_answer" >&2
		return 1
		;;
	esac
	echo "$control_answer"
}

# bdf_of NAME: PCI address of the device with that name in the devices file, if it is in this machine. It is asked once per boot: the emulator has
# those of its functions, /mnt/job/places those of all others. Returns 1 and says why when there is none.
bdf_of()
{
	bdf_ask || return 1
	while read -r bdf_name bdf_place; do
		[ "$bdf_name" != "$1" ] || {
			echo "$bdf_place"
			return 0
		}
	done <"$bdf_list"
	echo "bdf_of $1: no device has that name: $(cut -d ' ' -f 1 "$bdf_list" | tr '\n' ' ')" >&2
	return 1
}

# name_of BDF: the other way round.
name_of()
{
	bdf_ask || return 1
	while read -r bdf_name bdf_place; do
		[ "$bdf_place" != "$1" ] || {
			echo "$bdf_name"
			return 0
		}
	done <"$bdf_list"
	echo "name_of $1: no device is there" >&2
	return 1
}

bdf_list=/run/tph-places bdf_others=/mnt/job/places bdf_machine=/mnt/job/machine
# functions_here FILTER: the emulator's answer about the functions of this machine, through jq with FILTER for an array of them. /mnt/job/machine has
# its name; the first machine has none.
functions_here()
{
	here_answer=$(control functions) || return 1
	printf '%s\n' "$here_answer" | jq -r --arg machine "$(cat $bdf_machine 2>/dev/null)" "[.functions[] | select((.machine // \"\") == \$machine)] | $1"
}

bdf_ask()
{
	[ ! -e "$bdf_list" ] || return 0
	functions_here '.[] | "\(.name) \(.bdf)"' >"$bdf_list.new" || return 1
	cat "$bdf_others" >>"$bdf_list.new"
	mv "$bdf_list.new" "$bdf_list"
}
