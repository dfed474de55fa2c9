# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of tph-doctor
# What the checks share: verdicts, configuration space, the PCI tree. A check is a function check_NAME
# (with _ for -) that gives one verdict.

# check NAME [NEEDED...]: runs check_NAME if each check NEEDED was ok; what was not looked at is unknown.
check()
{
	check_name=$1
	check_function=check_$(echo "$1" | tr - _)
	shift
	for needed; do
		verdict_of "$needed"
		if [ "$verdict" != ok ]; then
			unknown "not looked at: $needed is not ok" ''
			return
		fi
	done
	"$check_function"
}

# verdict_of NAME: sets $verdict to ok, problem or unknown; to nothing for a check that has not run.
verdict_of()
{
	verdict=
	case $verdicts in
	*" $1=ok "*) verdict=ok ;;
	*" $1=problem "*) verdict=problem ;;
	*" $1=unknown "*) verdict=unknown ;;
	esac
}

# ok CAUSE, problem CAUSE MEND, unknown CAUSE MEND: the verdict of the check that runs.
ok()
{
	verdict ok "$1" ''
}

problem()
{
	verdict problem "$1" "$2"
}

unknown()
{
	verdict unknown "$1" "$2"
}

# verdict VERDICT CAUSE MEND
verdicts=' '
verdict()
{
	verdicts="$verdicts$check_name=$1 "
	printf '%s\t%s\t%s\t%s\n' "$check_name" "$1" "$2" "$3" >>"$DOCTOR_WORK/verdicts"
	verdict_word=$1
	[ "$1" != problem ] || verdict_word=PROBLEM
	printf '%-8s %s: %s\n' "$verdict_word" "$check_name" "$2"
	[ -z "$3" ] || printf '         mend: %s\n' "$3"
}

# unseen: the verdict when a function below failed because something could not be seen.
unseen()
{
	unknown "$why" "$mend"
}

# config_visible BDF: the kernel shows others than root the first 64 bytes.
seen='' unseen=''
config_visible()
{
	case "$seen $unseen " in
	*" $1="*) ;;
	*)
		if [ "$(head -c 65 "$PCI/$1/config" 2>/dev/null | wc -c)" -gt 64 ]; then
			seen="$seen $1="
		else
			unseen="$unseen $1="
		fi
		;;
	esac
	case "$seen " in
	*" $1="*) ;;
	*) return 1 ;;
	esac
}

# config BDF REGISTER: sets $value to the register, by setpci's name of it, with hexadecimal IDs of
# capabilities. Returns 1 when the function has no such capability, 2 when it cannot be seen.
config()
{
	if ! command -v setpci >/dev/null; then
		why="setpci is missing" mend="apt-get install pciutils"
		return 2
	fi
	case $2 in
	*CAP*)
		if ! config_visible "$1"; then
			why="the capabilities of $1 can only be seen by root" mend="run this as root"
			return 2
		fi
		;;
	esac
	if ! value=$(setpci -s "$1" "$2" 2>"$DOCTOR_WORK/setpci"); then
		! grep -q 'not found' "$DOCTOR_WORK/setpci" || return 1
		why="$1: $(cat "$DOCTOR_WORK/setpci")" mend=
		return 2
	fi
	value=$((0x$value))
}

# devcap2 BDF: $value is Device Capabilities 2 (PCI Express capability 10h, offset 24h; PCIe 6.3, 7.5.3.15).
devcap2()
{
	config "$1" CAP10+24.L
}

# port_type BDF: $value is Device/Port Type, bits 7:4 of PCI Express Capabilities (7.5.3.2): 4 root port, 9 root
# complex integrated endpoint.
port_type()
{
	config "$1" CAP10+2.W || return $?
	value=$((value >> 4 & 15))
}

# completer BDF: $value is its TPH completer field, bits 13:12 of Device Capabilities 2: 00b none, 01b TPH, 10b
# reserved, 11b TPH and Extended TPH.
completer()
{
	devcap2 "$1" || return $?
	value=$((value >> 12 & 3))
}

# chain BDF: the bridges above a function, from the root on, and the function itself.
chain()
{
	readlink -f "$PCI/$1" | tr / '\n' | grep -E '^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$' | xargs
}

# driver_of BDF: sets $driver to the name of its driver, or to nothing.
driver_of()
{
	driver=$(readlink "$PCI/$1/driver") || driver=
	driver=${driver##*/}
}
