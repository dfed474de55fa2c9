#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tests of bdf_of and name_of, with an emulator that answers once. Argument: the checkout. Prints a line "pass NAME" for each case, ends with 1 at the
# first that fails.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkfifo "$dir/port"
# Somebody has to have it open for the answer to stay.
exec 6<>"$dir/port"
answer='{"functions":[{"name":"hca0","bdf":"0000:00:04.0","kind":"hca","lid":1},{"name":"gpu0","bdf":"0000:01:00.0","kind":"gpu"},
{"name":"hca9","bdf":"0000:00:09.0","kind":"hca","machine":"right"}]}'
echo "$answer" | tr -d '\n' >&6
echo >&6
TPH_CONTROL=$dir/port
# shellcheck source=testbed/guest/control.sh
. "$1/testbed/guest/control.sh"
bdf_list=$dir/list bdf_others=$dir/others bdf_machine=$dir/machine
echo 'qnvme0 0000:00:13.0' >"$bdf_others"

# is EXPECTED ACTUAL WHAT
is()
{
	[ "$1" = "$2" ] || {
		echo "fail $3: expected '$1', got '$2'"
		exit 1
	}
	echo "pass $3"
}
is 0000:01:00.0 "$(bdf_of gpu0)" 'a function of the emulator'
is 0000:00:04.0 "$(bdf_of hca0)" 'it is not asked again'
is 0000:00:13.0 "$(bdf_of qnvme0)" 'a device that the emulator does not know'
is gpu0 "$(name_of 0000:01:00.0)" 'the name of a device'
status=0
said=$(name_of 0000:02:00.0 2>&1) || status=$?
is '1 name_of 0000:02:00.0: no device is there' "$status $said" 'a place where nothing is'
status=0
said=$(bdf_of gpu 2>&1) || status=$?
is '1 bdf_of gpu: no device has that name: hca0 gpu0 qnvme0' "$status ${said% }" 'a name that nobody has'
IFS= read -r asked <&6
is functions "$asked" 'the question'
rm "$bdf_list"
echo '{"error":"no such request: functions"}' >&6
status=0
bdf_of gpu0 >"$dir/out" 2>"$dir/err" || status=$?
is '1 control functions: {"error":"no such request: functions"}' "$status $(cat "$dir/out" "$dir/err")" 'an error of the emulator'
is no "$([ -e "$bdf_list" ] && echo yes || echo no)" 'an error is not kept'
# In a machine besides the first one.
IFS= read -r asked <&6
echo right >"$bdf_machine"
echo "$answer" | tr -d '\n' >&6
echo >&6
is 0000:00:09.0 "$(bdf_of hca9)" 'a function of this machine'
is 'hca9 qnvme0' "$(cut -d ' ' -f 1 "$bdf_list" | xargs)" 'those of other machines are not here'
IFS= read -r asked <&6
echo "$answer" | tr -d '\n' >&6
echo >&6
is hca9 "$(functions_here 'map(select(.kind == "hca"))[0].name')" 'functions of a kind'
