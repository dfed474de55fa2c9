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
