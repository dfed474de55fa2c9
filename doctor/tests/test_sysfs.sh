#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# tph-doctor on a made-up sysfs: a switch with an HCA and an endpoint below it, a VF of the endpoint. Argument: top of
# the tree.
set -u
top=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export TPH_DOCTOR_SYS="$dir/sys"
doctor=$top/doctor/tph-doctor
failed=0

# bytes FILE OFFSET HEX...: written there.
bytes()
{
	file=$1 at=$2
	shift 2
	for byte; do
		# shellcheck disable=SC2059 # an octal escape
		printf "\\$(printf %o "0x$byte")" | dd of="$file" bs=1 seek=$((at)) conv=notrunc 2>/dev/null
		at=$((at + 1))
	done
}

# pci PATH CLASS TYPE DEVCAP2: a PCIe function below $dir/sys/devices, its extended capabilities empty.
pci()
{
	bdf=${1##*/}
	mkdir -p "$dir/sys/devices/$1" "$dir/sys/bus/pci/devices"
	ln -s "../../../devices/$1" "$dir/sys/bus/pci/devices/$bdf"
	cfg=$dir/sys/devices/$1/config
	head -c 4096 /dev/zero >"$cfg"
	bytes "$cfg" 0 36 1b 02 11 06 00 10 00
	bytes "$cfg" 0x34 40
	bytes "$cfg" 0x40 10 00 "${3}2" 00
	# shellcheck disable=SC2086 # bytes
	bytes "$cfg" 0x64 $4
	echo "$2" >"$dir/sys/devices/$1/class"
	echo 0 >"$dir/sys/devices/$1/numa_node"
	printf '0x%x 0x%x 0x%x\n' 0x80000000 0x80ffffff 0x14220c 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 >"$dir/sys/devices/$1/resource"
}

# expect STATUS FILE COMMAND...: exit status and output
expect()
{
	want=$1 text=$2
	shift 2
	status=0
	"$@" >"$dir/out" 2>&1 || status=$?
	[ "$status" = "$want" ] && diff "$text" "$dir/out" && return
	echo "FAIL: $*: status $status, wanted $want"
	failed=1
}

# says LINE COMMAND...: among its output
says()
{
	line=$1
	shift
	"$@" >"$dir/out" 2>&1
	grep -qxF -- "$line" "$dir/out" && return
	echo "FAIL: $*: no line '$line' in:"
	cat "$dir/out"
	failed=1
}

bus=pci0000:00/0000:00:15.0/0000:02:00.0
pci pci0000:00/0000:00:15.0 0x060400 4 '00 10 00 00'
pci $bus 0x060400 5 '00 00 20 00'
pci $bus/0000:03:00.0 0x060400 6 '00 00 20 00'
pci $bus/0000:03:01.0 0x060400 6 '00 00 20 00'
pci $bus/0000:03:00.0/0000:04:00.0 0x020700 0 '00 00 20 00'
pci $bus/0000:03:01.0/0000:05:00.0 0x030200 0 '00 30 20 00'
pci $bus/0000:03:01.0/0000:05:00.1 0x030200 0 '00 30 20 00'
pci pci0000:00/0000:00:1f.0 0x060100 9 '00 30 00 00'
hca=$dir/sys/bus/pci/devices/0000:04:00.0 gpu=$dir/sys/bus/pci/devices/0000:05:00.0 vf=$dir/sys/bus/pci/devices/0000:05:00.1
# A TPH Requester capability behind one that says nothing here, TPH on; ACS with redirect.
bytes "$hca/config" 0x100 19 00 01 20
bytes "$hca/config" 0x200 17 00 01 00 04 02 3f 00 00 03 00 00
bytes "$dir/sys/bus/pci/devices/0000:03:01.0/config" 0x100 0d 00 01 00 00 00 04 00
mkdir -p "$dir/sys/class/infiniband/mlx5_0/ports/1" "$dir/sys/bus/pci/drivers/mlx5_core" "$dir/sys/bus/pci/drivers/vfio-pci" \
	"$dir/sys/kernel/iommu_groups/7/devices/0000:05:00.0" "$dir/sys/kernel/iommu_groups/7/devices/0000:05:00.1"
echo '4: ACTIVE' >"$dir/sys/class/infiniband/mlx5_0/ports/1/state"
ln -s "../../../bus/pci/devices/0000:04:00.0" "$dir/sys/class/infiniband/mlx5_0/device"
ln -s ../../bus/pci/drivers/mlx5_core "$hca/driver"
for function in "$gpu" "$vf"; do
	ln -s ../../bus/pci/drivers/vfio-pci "$function/driver"
	ln -s "$dir/sys/kernel/iommu_groups/7" "$function/iommu_group"
done
# What a VF shows: no identity, no memory enable; its physical function has VF MSE.
ln -s ../0000:05:00.0 "$vf/physfn"
bytes "$vf/config" 0 ff ff ff ff 00 00
bytes "$gpu/config" 0x100 10 00 01 00 00 00 00 00 09 00

cat >"$dir/list" <<'END'
RDMA devices:
  mlx5_0     0000:04:00.0, driver mlx5_core, TPH: 16-bit tags, port: ACTIVE
functions that are TPH completers or on vfio-pci:
  0000:05:00.0 class 030200, driver vfio-pci, completer: TPH and Extended TPH, largest memory BAR: 0 (16777216 bytes)
  0000:05:00.1 class 030200, driver vfio-pci, completer: TPH and Extended TPH, largest memory BAR: 0 (16777216 bytes)
END
expect 0 "$dir/list" "$doctor" --list
cat >"$dir/path" <<'END'
root complex
+- 0000:00:15.0: root port, ACS none, completer TPH, TLP prefixes no, IOMMU group -, NUMA node 0
   +- 0000:02:00.0: upstream port of a switch, ACS none, completer none, TLP prefixes yes, IOMMU group -, NUMA node 0
      +- 0000:03:00.0: downstream port of a switch, ACS none, completer none, TLP prefixes yes, IOMMU group -, NUMA node 0
         +- 0000:04:00.0 mlx5_0: endpoint, ACS none, completer none, TLP prefixes yes, IOMMU group -, NUMA node 0
      +- 0000:03:01.0: downstream port of a switch, ACS redirects, completer none, TLP prefixes yes, IOMMU group -, NUMA node 0
         +- 0000:05:00.0: endpoint, ACS none, completer TPH and Extended TPH, TLP prefixes yes, IOMMU group 7, NUMA node 0
END
expect 0 "$dir/path" "$doctor" --path mlx5_0 05:00.0
if command -v jq >/dev/null; then
	"$doctor" --path mlx5_0 0000:05:00.0 --json - | jq -c '[.hca, .bdf, .common, (.hops | length)], .hops[4], .hops[5].iommu_group' >"$dir/out"
	cat >"$dir/json" <<'END'
["mlx5_0","0000:05:00.0","0000:02:00.0",6]
{"side":"endpoint","bdf":"0000:03:01.0","type":"downstream port of a switch","acs":"redirects","completer":"none","tlp_prefixes":true,"iommu_group":null,"numa_node":0}
7
END
	diff "$dir/json" "$dir/out" || failed=1
	"$doctor" --list --json - | jq -c '[.hcas[0].tph, .endpoints[1].bdf, .endpoints[1].bar_size, .endpoints[0].class]' >"$dir/out"
	echo '["16-bit tags","0000:05:00.1",16777216,"030200"]' | diff - "$dir/out" || failed=1
fi
echo "tph-doctor: --path: there is no PCI device 0000:06:00.0" >"$dir/text"
expect 2 "$dir/text" "$doctor" --path mlx5_0 06:00.0
echo "tph-doctor: --path: mlx5_7 is no RDMA device that is a PCI function; --list shows them" >"$dir/text"
expect 2 "$dir/text" "$doctor" --path mlx5_7 05:00.0

# Without setpci; and a VF is as good as its physical function.
mkdir "$dir/bin"
for tool in sh awk basename cat cut dirname find getconf grep head mktemp od readlink rm sed sort tr uname uniq wc xargs env ps jq; do
	program=$(command -v $tool) && ln -s "$program" "$dir/bin/$tool"
done
for function in 05:00.0 05:00.1; do
	says "ok       endpoint-device: there is a PCI device 0000:$function" "$doctor" --bdf $function --no-trial
	says "ok       endpoint-completer: 0000:$function is a completer of TPH and Extended TPH" \
		env PATH="$dir/bin" "$dir/bin/sh" "$doctor" --bdf $function --no-trial
	says "ok       bar-msix: 0000:$function has no MSI-X" env PATH="$dir/bin" "$dir/bin/sh" "$doctor" --bdf $function --no-trial
done
says "ok       endpoint-memory: memory decode of the virtual functions of 0000:05:00.0 is on" "$doctor" --bdf 05:00.1 --no-trial
bytes "$gpu/config" 0x108 01
says "PROBLEM  endpoint-memory: memory decode of the virtual functions of 0000:05:00.0 is off (SR-IOV Control, bit 3)" \
	"$doctor" --bdf 05:00.1 --no-trial
head -c 4096 /dev/zero | tr '\0' '\377' >"$vf/config"
says "PROBLEM  endpoint-device: 0000:05:00.1 does not answer: it is gone, or in a reset" "$doctor" --bdf 05:00.1 --no-trial

# An MSI-X capability behind the other one: its table is in BAR 0, from 2000h on.
bytes "$gpu/config" 0x41 80
bytes "$gpu/config" 0x80 11 00 01 00 00 20 00 00 00 30 00 00
says "PROBLEM  bar-msix: the range has pages of the MSI-X table of 0000:05:00.0, BAR 0 bytes 8192 to 12288: writes there would \
move interrupts" "$doctor" --bdf 05:00.0 --no-trial --length 0x3000
says "ok       bar-msix: the range has no page of an MSI-X structure" "$doctor" --bdf 05:00.0 --no-trial --length 0x2000
bytes "$gpu/config" 0x41 00

# One missing thing is one problem; the rest is counted.
says "11 checks not made: see endpoint-device" "$doctor" --bdf 05:00.1 --no-trial
says "4 checks not made: --no-trial was given" "$doctor" --bdf 05:00.0 --no-trial
# soft-RoCE is no PCI device; its port is looked at all the same.
mkdir -p "$dir/sys/class/infiniband/rxe0/ports/1"
echo '1: DOWN' >"$dir/sys/class/infiniband/rxe0/ports/1/state"
says "PROBLEM  hca-port: no port of rxe0 is active: DOWN" "$doctor" --hca rxe0 --no-trial
rm -r "$dir/sys/class/infiniband/rxe0"
cat >"$dir/quiet" <<'END'
PROBLEM  hca-device: there is no IB device mlx5_9; there are: mlx5_0
         mend: name another one, or load its driver (modprobe mlx5_ib)
END
"$doctor" --hca mlx5_9 --bdf 05:00.0 --no-trial --quiet | grep -v -A 1 ' kernel-' >"$dir/out"
grep -v '^PROBLEM  kernel\|^         mend: build\|^--$' "$dir/out" | diff "$dir/quiet" - || failed=1
exit $failed
