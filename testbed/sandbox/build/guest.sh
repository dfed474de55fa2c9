#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: the guest's root file system as an EROFS image.
# Arguments: output directory, Debian root, and trees that are laid over it.
set -eu
out=$1
root=$out/root
cp -a "$2" "$root"
shift 2
rm -rf "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale "$root"/var/cache/apt \
	"$root"/var/lib/apt
# All of them install below /usr and /etc; merged-/usr links stay as they are.
for tree; do
	cp -a "$tree/." "$root/"
done
rm -rf "$root"/usr/include "$root"/usr/share/doc "$root"/usr/share/man
install -m 755 /src/testbed/guest/tph-init "$root/usr/sbin/tph-init"
mkdir -p "$root/mnt/src" "$root/mnt/job" "$root/mnt/share" "$root/mnt/bin" "$root/mnt/tests"
chroot "$root" ldconfig
mkfs.erofs --quiet "$out/root.img" "$root"
rm -rf "$root"
