# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of tph-doctor
# What the checks share: verdicts, configuration space, the PCI tree. A check is a function check_NAME
# (with _ for -) that gives one verdict.

# check NAME [NEEDED...] [-- CAUSE...]: runs check_NAME if each check NEEDED was ok, and none of CAUSE, which
# would be the cause of what it finds, has a problem. One missing thing is one problem: what follows from it is
# not made.
check()
{
	check_name=$1
	check_function=check_$(echo "$1" | tr - _)
	needed=1
	shift
	for of; do
		if [ "$of" = -- ]; then
			needed=
			continue
		fi
		verdict_of "$of"
		case $verdict,$needed in
		ok,* | ,) continue ;;
		unknown,) [ -n "$root" ] || continue ;;
		esac
		not_made "${root:-see $of}"
		return
	done
	"$check_function"
}

# verdict_of NAME: sets $verdict to ok, problem or unknown; to nothing for a check that has not run. $root: for
# which reason it was not made.
verdict_of()
{
	verdict='' root=''
	case $verdicts in
	*" $1=ok "*) verdict=ok ;;
	*" $1=problem "*) verdict=problem ;;
	*" $1=unknown "*)
		verdict=unknown
		root=$(sed -n "s/^$1	//p" "$DOCTOR_WORK/not-made")
		;;
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

# not_made REASON: nothing was looked at.
not_made()
{
	verdicts="$verdicts$check_name=unknown "
	printf '%s\t%s\n' "$check_name" "$1" >>"$DOCTOR_WORK/not-made"
	printf '%s\tunknown\tnot made: %s\t\n' "$check_name" "$1" >>"$DOCTOR_WORK/verdicts"
}

# say_not_made: how many, and why; one line for each reason.
say_not_made()
{
	cut -f 2 "$DOCTOR_WORK/not-made" | LC_ALL=C sort | uniq -c |
		while read -r count reason; do
			[ "$count" -eq 1 ] && plural='' || plural=s
			echo "$count check$plural not made: $reason"
		done
}

# verdict VERDICT CAUSE MEND
verdicts=' '
verdict()
{
	verdicts="$verdicts$check_name=$1 "
	printf '%s\t%s\t%s\t%s\n' "$check_name" "$1" "$2" "$3" >>"$DOCTOR_WORK/verdicts"
	verdict_word=$1
	[ "$1" != problem ] || verdict_word=PROBLEM
	[ -z "$quiet" ] || [ "$1" = problem ] || return 0
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
	config_at=${2%.*} config_size=4 config_kind='' config_id=0
	[ "${2##*.}" != W ] || config_size=2
	case $config_at in
	VENDOR_ID) config_at=0 config_size=2 ;;
	COMMAND) config_at=4 config_size=2 ;;
	*)
		if ! config_visible "$1"; then
			why="the capabilities of $1 can only be seen by root" mend="run this as root"
			return 2
		fi
		config_kind=${config_at%%P*}P config_id=${config_at%+*} config_at=$((0x${config_at#*+}))
		config_id=$((0x${config_id##*P}))
		;;
	esac
	# Capability lists: PCI, from the byte at 34h on if bit 4 of Status says that there is one (7.5.1.1); extended,
	# from 100h on, a header of 32 bits with the ID in 15:0 and the next one in 31:20 (7.6.3).
	value=$(od -An -v -tu1 "$PCI/$1/config" 2>"$DOCTOR_WORK/od" |
		awk -v "kind=$config_kind" -v "id=$config_id" -v "at=$config_at" -v "size=$config_size" '
		{ for (i = 1; i <= NF; i++) byte[n++] = $i }
		function word(at) { return byte[at] + 256 * byte[at + 1] }
		END {
			if (kind == "CAP") {
				begin = int(byte[6] / 16) % 2 ? byte[52] - byte[52] % 4 : 0
				for (left = 48; left && begin >= 64 && begin + 1 < n && byte[begin] != id; left--)
					begin = byte[begin + 1] - byte[begin + 1] % 4
				if (!left || begin < 64) exit
			} else if (kind == "ECAP") {
				begin = 256
				for (left = 960; left && begin >= 256 && begin + 3 < n && word(begin) != id; left--)
					begin = int(word(begin + 2) / 16)
				if (!left || begin < 256) exit
			}
			for (i = size - 1; i >= 0; i--) value = value * 256 + byte[begin + at + i]
			if (n && begin + at + size <= n) printf "%.0f\n", value
		}')
	if [ -s "$DOCTOR_WORK/od" ]; then
		why="configuration space of $1 cannot be read" mend=
		return 2
	fi
	[ -n "$value" ] || return 1
}

# virtual BDF: it is a virtual function (SR-IOV).
virtual()
{
	[ -e "$PCI/$1/physfn" ]
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
