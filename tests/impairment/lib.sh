# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of the suite impairment: bad cables, and what counters and log say of them.

# impaired SPEC-OF-HCA0 SPEC-OF-HCA1: from here on; counters are looked at from here on, too.
impaired()
{
	# shellcheck disable=SC2086 # words
	{
		control impair hca0 $1 >control.out
		control impair hca1 $2 >control.out
	}
	await 10 'another cable' as_set hca0 "$1"
	await 10 'another cable' as_set hca1 "$2"
	sleep 0.1
	counters mlx5_0 >before.0
	counters mlx5_1 >before.1
}

# as_set HCA SPEC: the cable is so.
as_set()
{
	control impair "$1" show >shown
	as_set=$(jq -r .impairment shown)
	[ "$as_set" = "$2" ] || [ "$as_set,$2" = null,off ]
}

# counters DEVICE: those of its port, a line each.
counters()
{
	rdma -j statistic show link "$1/1" | jq -r '.[0] | to_entries[] | "\(.key) \(.value)"'
}

# shown: what both cables did, into cable.0 and cable.1; what the counters say, into after.0 and after.1. They are read
# anew after 10 ms.
shown()
{
	sleep 0.1
	for shown in 0 1; do
		control impair hca$shown show >cable.$shown
		counters mlx5_$shown >after.$shown
	done
}

# moved N COUNTER: of mlx5_N, since impaired().
moved()
{
	echo $(($(sed -n "s/^$2 //p" "after.$1") - $(sed -n "s/^$2 //p" "before.$1")))
}

# cable N KIND WHAT: packets of KIND that WHAT became of, on the cable of hcaN.
cable()
{
	jq ".counts.$2.$3" "cable.$1"
}

# between LOW HIGH NUMBER WHAT
between()
{
	if [ "$3" -lt "$1" ] || [ "$3" -gt "$2" ]; then
		fail "$4: $3 is not $1 to $2"
	fi
}

# unmoved COUNTER...: those of both ports.
unmoved()
{
	for unmoved in "$@"; do
		equal 0,0 "$(moved 0 "$unmoved"),$(moved 1 "$unmoved")" "$unmoved"
	done
}
