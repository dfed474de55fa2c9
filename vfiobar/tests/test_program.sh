#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The vfiobar program on the machine of fake_vfio.h: what it prints and how it exits.
set -u
vfiobar=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export FAKE_VFIO_ROOT="$dir/machine"
bdf=0000:00:05.0
failed=0

# expect STATUS TEXT COMMAND...: exit status, and TEXT somewhere in what it printed
expect() {
	status=$1 text=$2
	shift 2
	out=$("$@" 2>&1)
	got=$?
	case $out in
	*"$text"*) ;;
	*) got="$got, text" ;;
	esac
	[ "$got" = "$status" ] && return
	printf 'FAIL: %s\n  got %s, wanted %s and "%s"\n%s\n' "$*" "$got" "$status" "$text" "$out"
	failed=1
}

expect 0 "usage:" "$vfiobar" --help
expect 0 "vfiobar $(cat "$(dirname "$0")/../../VERSION")" "$vfiobar" --version
expect 2 "usage:" "$vfiobar"
expect 2 "usage:" "$vfiobar" info
expect 2 "usage:" "$vfiobar" melt $bdf
expect 2 "usage:" "$vfiobar" fill $bdf 0 0 4096
expect 0 "completer: TPH" "$vfiobar" info $bdf
expect 0 "MSI-X table: BAR 2 offset 0x2000 length 0x40" "$vfiobar" info $bdf
expect 2 "no such PCI device" "$vfiobar" info 0000:00:06.0
expect 0 "" "$vfiobar" reset $bdf
expect 0 "access: iommufd" "$vfiobar" --by iommufd info $bdf
expect 2 "0000:00:05.0: in no IOMMU group" \
	"$vfiobar" --by group info $bdf
expect 2 "--by 'cdev': neither any nor iommufd nor group" "$vfiobar" --by cdev info $bdf
# Only who asks for a way opens the function: another user may have it.
expect 0 "completer: TPH" env FAKE_VFIO_BUSY=1 "$vfiobar" info $bdf
expect 2 "opening its vfio character device failed: Device or resource busy (EBUSY)" \
	env FAKE_VFIO_BUSY=1 "$vfiobar" --by any info $bdf
expect 0 "hints: ok" "$vfiobar" --by any info $bdf
expect 0 "hints: EOPNOTSUPP" env FAKE_VFIO_HINT_ERRNO=95 "$vfiobar" --by any info $bdf
expect 2 "usage:" "$vfiobar" --by group

head -c 70000 /dev/urandom >"$dir/sent"
"$vfiobar" fill $bdf 0 0x1000 70000 0xa5 || failed=1
expect 1 "differs at BAR offset 0x1000 (file offset 0x0)" "$vfiobar" compare $bdf 0 0x1000 "$dir/sent"
head -c 70000 /dev/zero | tr '\0' '\245' >"$dir/a5"
expect 0 "equal: 70000 bytes" "$vfiobar" compare $bdf 0 4096 "$dir/a5"
expect 1 "differs at BAR offset 0x12170 (file offset 0x11170): 0x00, expected 0xa5" sh -c \
	"cat '$dir/a5' '$dir/a5' >'$dir/a5a5' && '$vfiobar' compare $bdf 0 0x1000 '$dir/a5a5' 70001"
"$vfiobar" read $bdf 0 0x1000 70000 >"$dir/back" || failed=1
cmp "$dir/back" "$dir/a5" || failed=1
expect 0 "equal: 16 bytes" env FAKE_VFIO_NO_MMAP=1 "$vfiobar" compare $bdf 0 0x1008 "$dir/a5" 16
expect 2 "LENGTH '70001': not a number in 0..70000" "$vfiobar" compare $bdf 0 0 "$dir/a5" 70001
expect 2 "No such file" "$vfiobar" compare $bdf 0 0 "$dir/absent"
expect 2 "No space left on device (ENOSPC)" sh -c "'$vfiobar' read $bdf 0 0 65536 >/dev/full"

expect 2 "BAR '6': not a number in 0..5" "$vfiobar" read $bdf 6 0 1
expect 2 "BAR 1 does not exist" "$vfiobar" read $bdf 1 0 1
expect 2 "OFFSET '-1': not a number" "$vfiobar" read $bdf 0 -1 1
expect 2 "1 bytes missing" "$vfiobar" read $bdf 0 0xfffff 2
expect 2 "BYTE '256': not a number in 0..255" "$vfiobar" fill $bdf 0 0 1 256

expect 0 "hint: ok" "$vfiobar" hint $bdf 0 0 4096 st=42,ph=2
expect 2 "hint: EOPNOTSUPP" env FAKE_VFIO_HINT_ERRNO=95 "$vfiobar" hint $bdf 0 0 4096 st=42,ph=2
expect 2 "0000:00:05.0: attaching the steering hint failed: Operation not supported (EOPNOTSUPP): its driver" \
	env FAKE_VFIO_HINT_ERRNO=95 "$vfiobar" hint $bdf 0 0 4096 st=42,ph=2
expect 2 "not a number in 0..255" "$vfiobar" hint $bdf 0 0 4096 st=256,ph=2
expect 2 "not a multiple of the page size" "$vfiobar" hint $bdf 0 0 100 st=1,ph=2

# The whole of what is printed.
function="{\"bdf\":\"$bdf\",\"vendor\":\"1b36\",\"device\":\"1102\",\"class\":\"030200\",\"completer\":\"TPH\""
bars='"bars":[{"bar":0,"size":1048576,"registers":false,"exportable":[{"offset":0,"length":1048576}]},'
bars="$bars"'{"bar":2,"size":65536,"registers":false,"exportable":[{"offset":0,"length":8192},{"offset":16384,"length":49152}]}],'
msix='"msix_table":{"bar":2,"offset":8192,"length":64},"msix_pba":{"bar":2,"offset":12288,"length":8}}'
# exactly TEXT COMMAND...
exactly() {
	text=$1
	shift
	out=$("$@" 2>&1) || failed=1
	[ "$out" = "$text" ] && return
	printf 'FAIL: %s\n  wanted:\n%s\n  got:\n%s\n' "$*" "$text" "$out"
	failed=1
}
exactly "$function,$bars$msix" "$vfiobar" --json info $bdf
exactly "$function,\"access\":\"iommufd\",\"hints\":\"ok\",$bars$msix" "$vfiobar" --json --by any info $bdf
exactly "[$function,$bars$msix]" env FAKE_VFIO_BUSY=1 "$vfiobar" --json list
text="device: $bdf 1b36:1102 class 030200
completer: TPH
BAR 0: size 0x100000, exportable 0x0..0xfffff
BAR 2: size 0x10000, exportable 0x0..0x1fff 0x4000..0xffff
MSI-X table: BAR 2 offset 0x2000 length 0x40
MSI-X PBA: BAR 2 offset 0x3000 length 0x8"
exactly "$text" "$vfiobar" info $bdf
exactly "$text" "$vfiobar" list
exactly "$text" env FAKE_VFIO_VF=1 FAKE_VFIO_ROOT="$dir/vf" "$vfiobar" list
# Who is shown 64 bytes of configuration space is told so, and nothing that may be wrong.
says="vfiobar: $bdf: sysfs shows this user only 64 bytes of its configuration space, and so no capabilities (EACCES)"
# shellcheck disable=SC2317 # called by expect
unprivileged()
{
	FAKE_VFIO_UNPRIVILEGED=1 FAKE_VFIO_ROOT=$dir/unprivileged "$vfiobar" "$@"
}
expect 2 "$says; --by any opens it, and so resets it" unprivileged info $bdf
expect 2 "$says
vfiobar: list: functions that are left out: 1" unprivileged list
expect 2 "[]" unprivileged --json list
expect 0 "MSI-X table: BAR 2 offset 0x2000 length 0x40" unprivileged --by any info $bdf
expect 2 "usage:" "$vfiobar" list $bdf
expect 2 "usage:" "$vfiobar" --json reset $bdf

# Registers, on a machine of their own.
export FAKE_VFIO_ROOT="$dir/registers" FAKE_VFIO_REGISTERS=1 FAKE_VFIO_CLASS=010802
says="vfiobar: 0000:00:05.0 BAR 2: is not prefetchable, so it holds registers (class 010802): data written \
there is commands to the device; --registers takes it"
expect 2 "$says" "$vfiobar" fill $bdf 2 0x4000 16 1
expect 2 "$says" "$vfiobar" read $bdf 2 0x4000 16
expect 2 "$says" "$vfiobar" hint $bdf 2 0x4000 4096 st=42,ph=2
expect 2 "BAR 0: holds the registers of an NVMe controller (class 010802)" "$vfiobar" fill $bdf 0 0 1 0
expect 0 "hint: ok" "$vfiobar" --registers hint $bdf 2 0x4000 4096 st=42,ph=2
expect 0 "" "$vfiobar" --by iommufd --registers fill $bdf 0 0 1 7
expect 0 "$(printf '\a')" "$vfiobar" --registers --by iommufd read $bdf 0 0 1
expect 2 "BAR 0: holds the registers" "$vfiobar" --by iommufd fill $bdf 0 0 1 0
expect 0 "device: 0000:00:05.0 1b36:1102 class 010802" "$vfiobar" info $bdf
expect 2 "touches the pages of the MSI-X table" "$vfiobar" --registers hint $bdf 2 0x2000 4096 st=42,ph=2
expect 2 "usage:" "$vfiobar" --registers info
expect 0 "BAR 2: size 0x10000, registers" "$vfiobar" info $bdf
expect 0 '"registers":true,"exportable":[]' "$vfiobar" --json info $bdf
exit $failed
