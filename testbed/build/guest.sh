#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the sandbox: the guest's root file system as an EROFS image.
# Arguments: output directory, Debian root, installed rdma-core, perftest and iproute2.
set -eu
root=$1/root
cp -a "$2" "$root"
rm -rf "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale "$root"/var/cache/apt \
	"$root"/var/lib/apt
cp -a "$3/." "$root/"
cp -a "$4/." "$root/"
cp -a "$5/." "$root/"
rm -rf "$root"/usr/include "$root"/usr/share/doc "$root"/usr/share/man
# All three install below /usr; merged-/usr links stay as they are.
install -m 755 /src/testbed/guest/tph-init "$root/usr/sbin/tph-init"
mkdir -p "$root/mnt/src" "$root/mnt/job" "$root/mnt/share" "$root/mnt/bin" "$root/mnt/tests"
chroot "$root" ldconfig
mkfs.erofs --quiet "$1/root.img" "$root"
rm -rf "$root"
