# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced in a root by what is tried there: apt takes packages from /repo and nothing else, so that no network is
# needed. $ours are those packages.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
rm -rf /etc/apt/sources.list.d/* /etc/apt/preferences.d/*
echo 'deb [trusted=yes] file:/repo ./' >/etc/apt/sources.list
ours=$(sed -n 's/^Package: //p' /repo/Packages | grep -v -e '-dbgsym$' | xargs)

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
