# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced in a root by what is tried there: apt takes packages from the archive of docs/packagers.md and nothing else,
# so that no network is needed. $ours are those packages.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
repo=/srv/rdma-tph
rm -rf /etc/apt/sources.list.d/* /etc/apt/preferences.d/*
: >/etc/apt/sources.list
# Nobody is here to answer.
echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/yes
ours=$(sed -n 's/^Package: //p' $repo/Packages | grep -v -e '-dbgsym$' | xargs)

# documented BEGINNING [WORD...]: the line of docs/packagers.md that begins so, as it stands there, with the WORDs behind
# it.
documented()
{
	line=$(sed -n "s/^    \($1.*\)/\1/p" /src/docs/packagers.md | sed 's/ *#.*//')
	[ "$(echo "$line" | grep -c .)" -eq 1 ] || {
		echo "docs/packagers.md: not one line that begins with '$1': $line"
		return 1
	}
	shift
	echo "$line $*"
	sh -euc "$line $*"
}

# step NAME COMMAND...
step()
{
	name=$1
	shift
	echo "== $name"
	if "$@"; then
		echo "pass $name" >>/cases
	else
		echo "fail $name" >>/cases
	fi
}

# says STATUS WORDS COMMAND...: it ends so, and says that.
says()
{
	want=$1
	words=$2
	shift 2
	status=0
	"$@" >/out 2>&1 || status=$?
	[ "$status" -eq "$want" ] || {
		echo "$*: status $status, expected $want"
		cat /out
		return 1
	}
	grep -q -e "$words" /out || {
		echo "$*: no '$words'"
		cat /out
		return 1
	}
}
