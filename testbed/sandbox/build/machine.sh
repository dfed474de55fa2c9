#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: what a machine with a kernel of Debian boots. Arguments: output directory, with the unpacked package of the kernel in
# kernel/; Debian root. Leaves bzImage, initramfs, root.img and release.
set -eu
out=$1 kernel=$1/kernel root=$1/root initramfs=$1/initramfs.d
cp -a "$2" "$root"
rm -rf "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale "$root"/var/cache/apt "$root"/var/lib/apt
modules=$(find "$kernel" -type d -path '*lib/modules/*' -prune)
release=${modules##*/}
echo "$release" >"$out/release"
cp "$kernel/boot/vmlinuz-$release" "$out/bzImage"
mkdir -p "$root/usr/lib/modules"
cp -a "$modules" "$root/usr/lib/modules/"
depmod -b "$root" "$release"
install -m 755 /src/testbed/guest/tph-init "$root/usr/sbin/tph-init"
mkdir -p "$root/mnt/src" "$root/mnt/job" "$root/mnt/share" "$root/mnt/bin" "$root/mnt/tests"

mkdir -p "$initramfs/bin" "$initramfs/dev" "$initramfs/system" "$initramfs/modules"
cp "$root/usr/bin/busybox" "$initramfs/bin/"
install -m 755 /src/testbed/guest/initramfs-init "$initramfs/init"
# In the order in which they need each other.
for module in virtio_pci virtio_blk virtio_console virtio_net erofs 9p 9pnet_virtio; do
	modprobe -d "$root" -S "$release" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$out/modules"
number=100
while read -r module; do
	number=$((number + 1))
	cp "$module" "$initramfs/modules/$number-${module##*/}"
done <"$out/modules"
(cd "$initramfs" && find . | cpio -o -H newc --quiet) >"$out/initramfs"
mkfs.erofs --quiet "$out/root.img" "$root"
rm -rf "$root" "$initramfs" "$kernel" "$out/modules"
