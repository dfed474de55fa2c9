# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of the ways to open a function.

# way BDF BAR WAY ACCESS: the library says that it opened the function so; what it writes is there for
# itself and for the way $other, a range is exported, and a hint taken.
way()
{
	equal "access: $4" "$(vfiobar --by "$3" info "$1" | grep ^access:)" "$1 by $3"
	vfiobar --by "$3" fill "$1" "$2" 0x1000 0x5000 0
	vfiobar --by "$3" fill "$1" "$2" 0x2000 0x3000 "$fill"
	vfiobar --by "$3" read "$1" "$2" 0x1ff8 0x3010 >"by-$3"
	vfiobar --by "$other" read "$1" "$2" 0x1ff8 0x3010 >"by-$other"
	cmp "by-$3" "by-$other" || fail "$1: $3 and $other read different bytes"
	equal 12288 "$(tr -dc "$(printf '\\%o' "$fill")" <"by-$3" | wc -c)" "$1 by $3: bytes $fill"
	equal "hint: ok" "$(vfiobar --by "$3" hint "$1" "$2" 0x1000 0x2000 st=42,ph=2)" "$1 by $3"
	vfiobar --by "$3" reset "$1"
}

# ways BDF BAR SUFFIX
ways()
{
	fill=0xa5 other=group
	way "$1" "$2" iommufd "iommufd$3"
	fill=0x5a other=iommufd
	way "$1" "$2" group "group$3"
	equal "access: iommufd$3" "$(vfiobar --by any info "$1" | grep ^access:)" "$1 by any way"
}

# busy BDF BAR: while one user has the function no other one gets it, by neither way; afterwards, it does.
busy()
{
	mkfifo full
	for first in iommufd group; do
		for second in iommufd group; do
			# It cannot get rid of what it read, and so stays.
			vfiobar --by $first read "$1" "$2" 0 0x100000 >full &
			busy_pid=$!
			exec 8<full
			dd bs=1 count=1 <&8 >byte 2>dd.log
			busy_status=0
			vfiobar --by $second info "$1" >out 2>&1 || busy_status=$?
			exec 8<&-
			wait $busy_pid || :
			equal 1 "$(wc -c <byte)" "$1 by $first: first byte"
			case $first-$second in
			iommufd-iommufd) busy_why='Invalid argument (EINVAL)' ;;
			*) busy_why='Device or resource busy (EBUSY)' ;;
			esac
			equal "2 vfiobar: $1 $busy_why" \
				"$busy_status $(sed 's/^\(vfiobar: [0-9a-f.:]*\): .*: /\1 /' out)" \
				"$second beside $first"
			vfiobar --by $second info "$1" >out || fail "$second after $first"
		done
	done
}
